/**
 * The report on the terminal, at the end of a run or for several. Times have a line of their own, so that all other lines can be compared
 * between runs.
 */

import type { Triage } from '../../properties/finding.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { labelled, wrapped } from '../terminal/labelled.js';
import { compactCount, counted, formatCount, formatShare, formatTime, judgedText } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import type { FindingReport, InvariantReport, ReportDocument } from './document/report-document.js';
import { verdictSentence } from './document/report-verdict.js';
import { oftenText } from './finding-text.js';
import type { NewsLine } from './report-news.js';
import { STATUS_LABELS, corpusNews, healthLines, perhapsText } from './report-news.js';

/** From this width on, all digits of a count fit. */
const WIDE = 64;

export const terminalReport = (report: ReportDocument, session: Session): readonly string[] => {
  const { width, colors } = session;
  const { programs, judged, steps, known } = report;
  const findings = STATUSES.flatMap((status) => report.findings.filter((finding) => finding.status === status));
  return [
    colors.bold('summary'),
    labelled(
      'programs',
      `${formatCount(programs)} with ${counted(steps, 'step')}${judgedText(judged, programs)}`,
      width,
    ),
    ...featureLines(report, width),
    labelled('time', timeText(report), width),
    ...counterLines(report, session),
    '',
    ...invariantTable(report, session),
    '',
    ...withEmptyLine(healthLines(report).flatMap((line) => newsLines(line, session))),
    ...withEmptyLine([
      ...findings.flatMap((finding) => newsLines(findingNews(finding), session)),
      ...known.flatMap((each) => newsLines(knownNews(each), session)),
      ...corpusNews(report).flatMap((line) => newsLines(line, session)),
    ]),
    ...report.troubles.map((trouble) => colors.red(wrap(`not saved: ${printable(trouble)}`, session))),
    ...verdictLines(report, session),
  ];
};

const withEmptyLine = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : [...lines, '']);

/** Of runs whose programs had some. */
const featureLines = ({ runs }: ReportDocument, width: number): readonly string[] => {
  const features = [...new Set(runs.flatMap((run) => run.features ?? []))];
  return features.length === 0 ? [] : [labelled('features', features.join(', '), width)];
};

const timeText = ({ programs, steps, milliseconds }: ReportDocument): string => {
  const perSecond = (count: number, noun: string): string => {
    const rate = compactCount(milliseconds <= 0 ? 0 : (count / milliseconds) * 1000);
    return `${rate} ${rate === '1' ? noun : `${noun}s`}/s`;
  };
  return `${formatTime(milliseconds)}, ${perSecond(steps, 'step')}, ${perSecond(programs, 'program')}`;
};

const counterLines = ({ counters }: ReportDocument, { width }: Session): readonly string[] => {
  if (counters === undefined) return [];
  const { accesses, shadow, pgdirCache, diedEarly, programs } = counters;
  if (programs === 0) return [];
  return [
    labelled('accesses', accessText(accesses), width),
    labelled('shadow', cacheText(shadow), width),
    labelled('pgdirs', cacheText(pgdirCache), width),
    labelled('early', `${formatShare(diedEarly, programs)} of programs died within ten steps`, width),
  ];
};

type Counters = NonNullable<ReportDocument['counters']>;

const accessText = ({ total, broken, ...usual }: Counters['accesses']): string => {
  if (total === 0) return 'none';
  const { mapped, fault, mmio, killed } = usual;
  const named = Object.entries({ mapped, fault, mmio, killed, ...(broken > 0 ? { broken } : {}) });
  return named.map(([name, count]) => `${name} ${formatShare(count, total)}`).join(', ');
};

const cacheText = ({ hits, misses }: Counters['shadow']): string => {
  if (hits + misses === 0) return 'not seen';
  return `${formatShare(hits, hits + misses)} hits (${formatCount(hits)} hit, ${formatCount(misses)} missed)`;
};

const ORDER = new Map(INVARIANTS.map(({ id }, index) => [id, index]));

/**
 * In the order of the registry, so that runs can be compared. Columns: invariant, checks, exercised, programs that broke it, and of a
 * subject that counts them the edges that programs reached which exercised it.
 */
const invariantTable = ({ invariants, findings }: ReportDocument, { width, colors }: Session): readonly string[] => {
  const number = width >= WIDE ? formatCount : compactCount;
  const place = ({ id }: InvariantReport): number => ORDER.get(id) ?? ORDER.size;
  const listed = invariants.toSorted((one, other) => place(one) - place(other));
  const counts = listed.some(({ edges }) => edges !== undefined);
  const rows = listed.map(({ id, state, checks, exercised, edges = 0 }): readonly string[] => {
    const worked = exercised > 0 ? number(exercised) : state === 'not-asked' ? 'not asked' : 'never';
    const found = findings.filter(({ invariant }) => invariant === id).reduce((sum, { count }) => sum + count, 0);
    return [id, number(checks), worked, number(found), ...(counts ? [number(edges)] : [])];
  });
  const heads = ['invariant', 'checks', 'exercised', 'found', ...(counts ? ['edges'] : [])];
  const columns = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(columns[at]) : cell.padStart(columns[at]))).join(' ');
  return [
    colors.bold(line(heads)),
    ...rows.map((row, index) => {
      const { state, exercised } = listed[index];
      if (state === 'broken') return colors.red(line(row));
      if (exercised > 0) return line(row);
      return state === 'not-asked' ? colors.dim(line(row)) : colors.yellow(line(row));
    }),
  ];
};

const newsLines = ({ label, text, tone, command }: NewsLine, { width, colors }: Session): readonly string[] => {
  const line = labelled(label, printable(text), width);
  const toned = tone === 'bad' ? colors.red(line) : tone === 'warn' ? colors.yellow(line) : line;
  return [toned, ...(command === undefined ? [] : [`  ${printable(command)}`])];
};

/** In the order in which a reader needs them. */
const STATUSES: readonly Triage[] = ['new', 'flaky', 'recorded'];

const TONES: Readonly<Record<Triage, NewsLine['tone']>> = {
  new: 'bad',
  flaky: 'warn',
  recorded: 'plain',
  tolerated: 'plain',
};

const findingNews = (finding: FindingReport): NewsLine => {
  const { signature, status, count, steps, programsBefore, namesake, replay } = finding;
  const programs = counted(count, 'program');
  const behind = programsBefore === undefined ? '' : ` behind ${counted(programsBefore, 'other program')}`;
  const details =
    status === 'flaky' ? `${programs}; ${oftenText(finding)}` : `${counted(steps, 'step')}${behind}, ${programs}`;
  const perhaps = namesake === undefined ? '' : `; ${perhapsText(namesake)}`;
  return {
    label: STATUS_LABELS[status],
    text: `${signature} (${details}${perhaps})`,
    tone: TONES[status],
    command: replay,
  };
};

/** A finding of the file of `--known`: tolerated, expired, or to be removed from the file. */
const knownNews = ({ signature, owner, expires, expired, count }: ReportDocument['known'][number]): NewsLine => {
  const state = expired ? `expired on ${expires}` : `until ${expires}`;
  const programs = count === 0 ? 'no longer occurs' : counted(count, 'program');
  return {
    label: 'known',
    text: `${signature} (${programs}; ${state}, ${owner}; in the file of --known)`,
    tone: 'plain',
  };
};

const verdictLines = ({ verdict, doubts }: ReportDocument, session: Session): readonly string[] => {
  const { colors } = session;
  const sentence = verdictSentence(verdict);
  const line = wrap(printable(sentence[0].toLowerCase() + sentence.slice(1, -1)), session);
  switch (verdict.kind) {
    case 'clean':
      return [colors.green(line)];
    case 'divergence':
    case 'unsaved': {
      const besides = doubts.length === 0 ? [] : [wrap(`also: ${printable(doubts.join('; '))}`, session)];
      return [...besides.map(colors.yellow), colors.red(line)];
    }
    case 'inconclusive':
    case 'interrupted':
      return [colors.yellow(line)];
    default:
      return verdict.kind satisfies never;
  }
};

const wrap = (text: string, { width }: Session): string => wrapped(text, width).join('\n');
