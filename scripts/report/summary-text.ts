/** The summary of a run on the terminal. Times stand on a line of their own, so that all others can be compared. */

import { labelled, wrapped } from '../terminal/labelled.js';
import { compactCount, counted, formatCount, formatShare, formatTime } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import type {
  CacheCounts,
  FindingSummary,
  InvariantSummary,
  KnownSummary,
  Summary,
} from './document/summary-document.js';

/** From here on all digits of a count fit. */
const WIDE = 64;

export const summaryReport = (summary: Summary, session: Session): readonly string[] => [
  ...countReport(summary, session),
  ...knownLines(summary.known, session),
  ...findingLines(summary.findings, session),
  ...verdictLines(summary, session),
];

/** What a run counted, without what it found. */
export const countReport = (summary: Summary, session: Session): readonly string[] => {
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
  ];
};

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

const findingLines = (findings: readonly FindingSummary[], { width }: Session): readonly string[] => {
  if (findings.length === 0) return [];
  const lines = findings.map(({ signature, count, steps }) =>
    labelled(`${formatCount(count)}x`, `${printable(signature)} (${counted(steps, 'step')})`, width),
  );
  return [...lines, ''];
};

/** What is known, what of it is to be renewed or mended, and what can be struck from the file. */
const knownLines = (known: readonly KnownSummary[], { width }: Session): readonly string[] => {
  if (known.length === 0) return [];
  const lines = known.map(({ signature, owner, expires, expired, count }) => {
    const state = count === 0 ? 'no longer occurs' : expired ? `expired on ${expires}` : `known, until ${expires}`;
    return labelled(`${formatCount(count)}x`, `${printable(signature)} (${state}; ${printable(owner)})`, width);
  });
  return [...lines, ''];
};

const verdictLines = (summary: Summary, { colors, width }: Session): readonly string[] => {
  const { findings, verdict, subject, reference, programs, maxFindings } = summary;
  const full = findings.length >= maxFindings ? ` (stopped by --max-findings ${maxFindings})` : '';
  const found = `${counted(findings.length, 'kind')} of finding in ${counted(programs, 'program')}${full}`;
  const replays = findings.map(({ replay }) => replay);
  const say = (word: string, text: string): string => wrapped(`${word} ${text}`, width).join('\n');
  switch (verdict.kind) {
    case 'clean':
      return [colors.green(say('clean:', `${subject} agrees with ${reference} in ${counted(programs, 'program')}`))];
    case 'divergence':
      return [colors.red(say('divergence:', found)), ...replays];
    case 'inconclusive':
      return [colors.yellow(say('inconclusive:', verdict.reason))];
    case 'interrupted':
      return [colors.yellow(say('interrupted:', found)), ...replays];
    case 'unsaved':
      return [colors.red(say('divergence, not saved:', found)), ...replays];
    default:
      return verdict satisfies never;
  }
};
