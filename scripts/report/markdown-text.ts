/** A short Markdown summary for a pull request or the page of a workflow. */

import { compactCount, counted, formatCount, formatShare, formatTime } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { FindingReport, InvariantReport, InvariantState, ReportDocument } from './document/report-document.js';

export const markdownText = (report: ReportDocument): string =>
  [
    `### ${MARKS[report.worry.level]} ${text(report.worry.sentence)}`,
    '',
    scopeLine(report),
    ...findingsTable(report.findings),
    ...invariantsTable(report.invariants),
    ...emptyBuckets(report.invariants),
  ].join('\n');

const MARKS = { worry: '❌', no: '✅', 'cannot-tell': '⚠️' } as const satisfies Record<
  ReportDocument['worry']['level'],
  string
>;

/** Everything that means something to Markdown or HTML, in text of strangers. */
const text = (words: string): string =>
  printable(words).replace(/[\\`*_{}[\]<>()#|!&~]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Code in a table: a pipe would end the cell, a backtick the code. */
const code = (words: string): string => `<code>${text(words)}</code>`;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const scopeLine = ({ programs, steps, milliseconds, runs }: ReportDocument): string => {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const named = seeds.length === 0 ? '' : `, seed ${seeds.slice(0, 3).map(code).join(', ')}`;
  const more = seeds.length > 3 ? ` and ${seeds.length - 3} more` : '';
  const size = `${counted(programs, 'program')}, ${counted(steps, 'step')}, ${formatTime(milliseconds)}`;
  return `${counted(runs.length, 'run')}: ${size}${named}${more}.`;
};

const findingsTable = (findings: readonly FindingReport[]): readonly string[] => {
  if (findings.length === 0) return [];
  return [
    '',
    '| finding | at | steps | harms | replay |',
    '|---|---|--:|---|---|',
    ...findings.map(({ signature, counterexample, harms, replay }) =>
      row([
        text(signature),
        counterexample?.place ?? 'not stored',
        String(counterexample === undefined ? '' : counterexample.listing.length - 1),
        harms,
        code(replay),
      ]),
    ),
  ];
};

const STATE_WORDS: Readonly<Record<InvariantState, string>> = {
  broken: '❌ broken',
  idle: '⚠️ never exercised',
  gaps: 'gaps',
  fine: 'held',
  'not-applicable': 'does not apply',
};

const invariantsTable = (invariants: readonly InvariantReport[]): readonly string[] => [
  '',
  '| invariant | state | checks | premise held | situations | impl lines | caught alone | with others |',
  '|---|---|--:|--:|--:|--:|--:|--:|',
  ...invariants.map((invariant) => {
    const { id, state, checks, exercised, situations, code: ran, defects } = invariant;
    return row([
      text(id),
      STATE_WORDS[state],
      compactCount(checks),
      formatShare(exercised, checks),
      situations === undefined ? '-' : `${situations.reached}/${situations.reachable}`,
      ran === undefined ? '-' : formatShare(ran.lines.covered, ran.lines.total),
      defects === undefined ? '-' : formatCount(defects.alone.length),
      defects === undefined ? '-' : formatCount(defects.withOthers.length),
    ]);
  }),
];

/** A summary is short: of many empty buckets some are named. */
const MOST_BUCKETS = 8;

const emptyBuckets = (invariants: readonly InvariantReport[]): readonly string[] => {
  const lines = invariants.flatMap(({ id, situations }) => {
    const empty = (situations?.grids ?? []).flatMap(({ name, buckets }) =>
      buckets
        .filter(({ count, unreachable }) => count === 0 && unreachable === undefined)
        .map(({ values }) => `${name}: ${values.join(' / ')}`),
    );
    if (empty.length === 0) return [];
    const named = empty.slice(0, MOST_BUCKETS).map(text);
    const more = empty.length > MOST_BUCKETS ? `; and ${empty.length - MOST_BUCKETS} more` : '';
    return [`- ${text(id)}: ${named.join('; ')}${more}`];
  });
  return lines.length === 0 ? [] : ['', '**Situations that no program reached**', '', ...lines];
};
