/** Coverage on the terminal: a table of invariants, then everything that was not reached. */

import Table from 'cli-table3';
import { labelled, wrapped } from '../terminal/labelled.js';
import { compactCount, counted, formatCount, formatShare } from '../terminal/numbers.js';
import type { Session } from '../terminal/session.js';
import type { CodeShare, CoverageDocument, InvariantCoverage, Share } from './coverage-document.js';
import { emptySituations, impossibleSituations, situationName } from './coverage-document.js';

/** The whole table fits from this many terminal columns. */
const WIDE = 100;
/** At most this many unreached lines are listed; the report has them all. */
const MOST_LINES = 40;

export const coverageReport = (document: CoverageDocument, session: Session): readonly string[] => [
  table(document, session),
  '',
  ...legend(document, session),
  ...askedLines(document, session),
  ...codeLines(document),
  ...listed('reachable but never reached', emptySituations(document.invariants).map(situationName), session),
  ...listed(
    'reached but declared unreachable',
    impossibleSituations(document).map((each) => `${situationName(each)} (${each.unreachable ?? ''})`),
    session,
  ),
  ...unreachedLines(document, session),
];

/** What the columns hold, in their order; each has a line of its own. */
const COLUMNS: readonly (readonly [names: string, meaning: string])[] = [
  ['checks', 'how often it was asked'],
  ['exercised', 'the share of checks whose premise held'],
  ['situations', 'reached, of those that can be reached'],
  ['last new', 'programs since it last reached a new one'],
  ['lines, branches', 'the share of impl’s that ran in programs which exercised it'],
  ['alone, shared', 'planted bugs that it alone catches, or others too (--matrix)'],
];

/** What was not measured is not explained, nor what a narrow terminal does not show. */
const legend = ({ code, invariants }: CoverageDocument, { width, colors }: Session): readonly string[] => {
  const unmeasured = new Set([
    ...(code === undefined ? ['lines, branches'] : []),
    ...(invariants.every(({ defects }) => defects === undefined) ? ['alone, shared'] : []),
  ]);
  const shown = headsWithin(width);
  return COLUMNS.filter(([names]) => !unmeasured.has(names) && shown.includes(names.split(',', 1)[0])).map(
    ([names, meaning]) =>
      wrapped(`${names}: ${meaning}`, width)
        .map((line) => colors.dim(line))
        .join('\n'),
  );
};

const HEADS = ['invariant', 'checks', 'exercised', 'situations', 'last new', 'lines', 'branches', 'alone', 'shared'];
/** Columns that fit a narrow terminal. */
const FEWER = 4;

const headsWithin = (width: number): readonly string[] => (width < WIDE ? HEADS.slice(0, FEWER) : HEADS);

const table = ({ invariants }: CoverageDocument, { width, colors }: Session): string => {
  const heads = headsWithin(width);
  const bare = new Table({
    head: heads.map((head) => colors.bold(head)),
    colAligns: heads.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
    chars: NO_FRAME,
  });
  for (const invariant of invariants) {
    const cells = cellsOf(invariant).slice(0, heads.length);
    const full = invariant.exercised > 0 && invariant.reached === invariant.reachable;
    bare.push(full ? cells : cells.map(invariant.asked === 'not' ? colors.dim : colors.yellow));
  }
  return bare.toString();
};

const FRAME =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle';

const NO_FRAME = Object.fromEntries(FRAME.split(' ').map((part) => [part, '']));

/** What a run of these sides checks only in part, by name, and why nothing or not everything is asked. The table has what is not asked. */
const askedLines = ({ invariants }: CoverageDocument, { width }: Session): readonly string[] => {
  const lacking = invariants.filter(({ asked }) => asked !== 'fully');
  if (lacking.length === 0) return [];
  const partly = lacking.filter(({ asked }) => asked === 'partly').map(({ id }) => id);
  const because = [...new Set(lacking.flatMap((each) => each.because))].join('; ');
  return [
    '',
    ...(partly.length === 0 ? [] : [labelled('in part', partly.join(', '), width)]),
    labelled('because', because, width),
  ];
};

const cellsOf = ({
  id,
  asked,
  checks,
  exercised,
  reached,
  reachable,
  lastNew,
  code,
  defects,
}: InvariantCoverage): string[] => [
  id,
  compactCount(checks),
  asked === 'not' ? 'not asked' : formatShare(exercised, checks),
  `${reached}/${reachable}`,
  lastNew === undefined ? '-' : `${compactCount(lastNew.programsSince)} ago`,
  percentOf(code?.impl.lines),
  percentOf(code?.impl.branches),
  defects === undefined ? '-' : String(defects.alone.length),
  defects === undefined ? '-' : String(defects.withOthers.length),
];

const percentOf = (share: Share | undefined): string =>
  share === undefined ? '-' : formatShare(share.covered, share.total);

const codeLines = ({ code }: CoverageDocument): readonly string[] =>
  code === undefined ? [] : ['', codeLine('impl', code.impl), codeLine('model', code.model)];

const codeLine = (folder: string, { lines, branches, functions }: CodeShare): string =>
  `${folder.padEnd(6)} ${percentOf(lines)} of lines, ${percentOf(branches)} of branches, ${percentOf(functions)} of functions`;

const listed = (title: string, lines: readonly string[], { colors }: Session): readonly string[] =>
  lines.length === 0 ? [] : ['', colors.yellow(`${title}:`), ...lines.map((line) => `  ${line}`)];

const unreachedLines = ({ code }: CoverageDocument, session: Session): readonly string[] => {
  const unreached = code?.unreached ?? [];
  const lines = unreached.slice(0, MOST_LINES).map(({ file, line, text }) => `${file}:${line}: ${text.trim()}`);
  if (unreached.length > MOST_LINES) lines.push(`and ${formatCount(unreached.length - MOST_LINES)} more`);
  return listed(`code that no program reached (${counted(unreached.length, 'line')})`, lines, session);
};
