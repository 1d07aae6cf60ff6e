/** The summary of a run on the terminal. Times have a line of their own, so that all other lines can be compared between runs. */

import type { Triage } from '../../properties/finding.js';
import { RERUNS } from '../../properties/finding.js';
import { labelled, wrapped } from '../terminal/labelled.js';
import { compactCount, counted, formatCount, formatShare, formatTime } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import type {
  CacheCounts,
  CorpusSummary,
  FindingSummary,
  InvariantSummary,
  KnownSummary,
  Summary,
} from './document/summary-document.js';

/** From this width on all digits of a count fit. */
const WIDE = 64;
/** At most this many different things are listed about the corpus. */
const MOST_REASONS = 10;

export const summaryReport = (summary: Summary, session: Session): readonly string[] => {
  const { width, colors } = session;
  return [
    colors.bold('summary'),
    labelled('programs', `${formatCount(summary.programs)} with ${formatCount(summary.steps)} steps`, width),
    labelled('time', timeText(summary), width),
    labelled('accesses', accessText(summary), width),
    labelled('shadow', cacheText(summary.shadow), width),
    labelled('pgdirs', cacheText(summary.pgdirCache), width),
    labelled('early', `${formatShare(summary.diedEarly, summary.programs)} of programs died within ten steps`, width),
    '',
    ...invariantTable(summary.invariants, session),
    '',
    ...withEmptyLine(healthLines(summary, session)),
    ...withEmptyLine(newsLines(summary, session)),
    ...summary.troubles.map((trouble) => colors.red(wrap(`not saved: ${printable(trouble)}`, session))),
    ...verdictLines(summary, session),
  ];
};

const withEmptyLine = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : [...lines, '']);

const timeText = ({ time }: Summary): string =>
  `${formatTime(time.milliseconds)}, ${compactCount(time.stepsPerSecond)} steps/s, ` +
  `${compactCount(time.programsPerSecond)} programs/s`;

const accessText = ({ accesses }: Summary): string => {
  const { total, mapped, fault, mmio, killed, broken } = accesses;
  const named: [string, number][] = [
    ['mapped', mapped],
    ['fault', fault],
    ['mmio', mmio],
    ['killed', killed],
  ];
  if (broken > 0) named.push(['broken', broken]);
  return named.map(([name, count]) => `${name} ${formatShare(count, total)}`).join(', ');
};

const cacheText = ({ hits, misses }: CacheCounts): string => {
  if (hits + misses === 0) return 'not seen';
  return `${formatShare(hits, hits + misses)} hits (${formatCount(hits)} hit, ${formatCount(misses)} missed)`;
};

/** Columns: invariant, checks, exercised, findings. */
const invariantTable = (invariants: readonly InvariantSummary[], { width, colors }: Session): readonly string[] => {
  const number = width >= WIDE ? formatCount : compactCount;
  const rows = invariants.map(({ id, applies, checks, exercised, findings }) => {
    const worked = exercised > 0 ? number(exercised) : applies ? 'never' : 'n/a';
    return [id, number(checks), worked, number(findings)] as const;
  });
  const heads = ['invariant', 'checks', 'exercised', 'found'] as const;
  const columns = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(columns[at]) : cell.padStart(columns[at]))).join(' ');
  return [
    colors.bold(line(heads)),
    ...rows.map((row, index) => {
      const { findings, applies, exercised } = invariants[index];
      if (findings > 0) return colors.red(line(row));
      if (exercised > 0) return line(row);
      return applies ? colors.yellow(line(row)) : colors.dim(line(row));
    }),
  ];
};

/** Whether the run itself went well. */
const healthLines = (summary: Summary, session: Session): readonly string[] => [
  ...canaryLines(summary, session),
  ...corpusLines(summary, session),
  ...poolLines(summary, session),
  ...retryLines(summary, session),
];

const canaryLines = ({ canary }: Summary, { width, colors }: Session): readonly string[] => {
  if (canary === null) return [];
  const { defect, caught, programs } = canary;
  if (caught) return [labelled('canary', `impl:${defect} caught by program ${formatCount(programs - 1)}`, width)];
  return [colors.red(labelled('canary', `impl:${defect} not caught in ${counted(programs, 'program')}`, width))];
};

const corpusLines = ({ corpus }: Summary, { width }: Session): readonly string[] => {
  if (corpus === null) return [];
  const { replayed, open, broken, fixed, unreadable } = corpus;
  const parts = [
    [open.length, 'still open'],
    [broken.length, 'wrong'],
    [fixed.length, 'fixed'],
    [unreadable.length, 'unreadable'],
  ] as const;
  const news = parts.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  const entries = `${counted(replayed, 'entry', 'entries')} replayed`;
  const state = news.length === 0 ? 'as recorded' : news.join(', ');
  return [labelled('corpus', replayed === 0 ? 'empty' : `${entries}, ${state}`, width)];
};

const poolLines = ({ pool }: Summary, { width }: Session): readonly string[] => {
  if (pool === null) return [];
  const { directory, added, programs, cells, full } = pool;
  const total = `${formatCount(programs)} in ${printable(directory)}`;
  const room = full ? '; no room for more: --most-programs, or shadowdiff corpus programs --prune' : '';
  return [labelled('pool', `${formatCount(added)} new, ${total} reach ${counted(cells, 'situation')}${room}`, width)];
};

const retryLines = ({ retries }: Summary, { width, colors }: Session): readonly string[] => {
  if (retries === 0) return [];
  return [
    colors.yellow(
      labelled('workers', `${counted(retries, 'worker')} failed on a batch that went well in another one`, width),
    ),
  ];
};

/** What the reader should look into, with the command for each: findings, known ones, entries of the corpus. */
const newsLines = ({ findings, known, corpus }: Summary, session: Session): readonly string[] => [
  ...STATUSES.flatMap((status) => findingLines(status, findings, session)),
  ...known.map((each) => knownLine(each, session)),
  ...entryLines('known', corpus?.open ?? [], session),
  ...entryLines('corpus', corpus?.broken ?? [], session),
  ...entryLines('fixed', corpus?.fixed ?? [], session),
];

/** In the order in which a reader needs them. */
const STATUSES: readonly Triage[] = ['new', 'flaky', 'recorded'];

/** `recorded` and `tolerated` findings are both known: the one from the corpus, the other from the file of `--known`. */
const WORDS: Readonly<Record<Triage, string>> = { new: 'new', flaky: 'flaky', recorded: 'known', tolerated: 'known' };

const findingLines = (
  status: Triage,
  findings: readonly FindingSummary[],
  { width, colors }: Session,
): readonly string[] =>
  findings
    .filter((finding) => finding.status === status)
    .flatMap((finding) => {
      const head = labelled(WORDS[status], `${printable(finding.signature)} (${detailsOf(finding)})`, width);
      const emphasized = status === 'new' ? colors.red(head) : status === 'flaky' ? colors.yellow(head) : head;
      return [emphasized, `  ${printable(finding.replay)}`];
    });

const detailsOf = ({ status, count, steps, shown }: FindingSummary): string => {
  const programs = counted(count, 'program');
  if (status === 'flaky') return `${programs}; shows in ${shown} of ${RERUNS} runs`;
  return `${counted(steps, 'step')}, ${programs}`;
};

/** One of the file of `--known`: whether it is tolerated, must be renewed or fixed, or can be removed from the file. */
const knownLine = ({ signature, owner, expires, expired, count }: KnownSummary, { width }: Session): string => {
  const state = expired ? `expired on ${expires}` : `until ${expires}`;
  const programs = count === 0 ? 'no longer occurs' : counted(count, 'program');
  return labelled(
    'known',
    `${printable(signature)} (${programs}; ${state}, ${printable(owner)}; in the file of --known)`,
    width,
  );
};

/** Entries with the same reason are listed by the first of them. */
const entryLines = (title: string, entries: CorpusSummary['open'], { width }: Session): readonly string[] => {
  const byReason = new Map<string, CorpusSummary['open'][number][]>();
  for (const entry of entries) byReason.set(entry.reason, [...(byReason.get(entry.reason) ?? []), entry]);
  const lines = [...byReason].slice(0, MOST_REASONS).flatMap(([reason, [first, ...others]]) => {
    const more = others.length === 0 ? '' : ` (and ${formatCount(others.length)} more)`;
    return [labelled(title, `${printable(reason)}${more}`, width), `  ${printable(first.command)}`];
  });
  const further = byReason.size - MOST_REASONS;
  return further > 0 ? [...lines, labelled(title, `and ${formatCount(further)} more, in summary.json`, width)] : lines;
};

const verdictLines = (summary: Summary, session: Session): readonly string[] => {
  const { colors } = session;
  const { findings, corpus, verdict, subject, reference, programs, maxFindings, doubts } = summary;
  const full =
    maxFindings !== null && findings.length >= maxFindings ? ` (stopped by --max-findings ${maxFindings})` : '';
  const broken = corpus?.broken.length ?? 0;
  const wrong = broken === 0 ? '' : `, ${formatCount(broken)} wrong in the corpus`;
  const found = `${counted(findings.length, 'kind')} of finding in ${counted(programs, 'program')}${full}${wrong}`;
  const besides = doubts.length === 0 ? [] : [colors.yellow(wrap(`besides: ${printable(doubts.join('; '))}`, session))];
  switch (verdict.kind) {
    case 'clean':
      return [
        colors.green(wrap(`clean: ${subject} agrees with ${reference} in ${counted(programs, 'program')}`, session)),
      ];
    case 'divergence':
      return [...besides, colors.red(wrap(`divergence: ${found}`, session))];
    case 'inconclusive':
      return [colors.yellow(wrap(`inconclusive: ${printable(verdict.reason)}`, session))];
    case 'interrupted':
      return [colors.yellow(wrap(`interrupted: ${found}`, session))];
    case 'unsaved':
      return [colors.red(wrap(`divergence, not saved: ${found}`, session))];
    default:
      return verdict satisfies never;
  }
};

const wrap = (text: string, { width }: Session): string => wrapped(text, width).join('\n');
