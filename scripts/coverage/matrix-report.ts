/** The kill matrix as a table for the terminal, as Markdown and as JSON. */

import Table from 'cli-table3';
import type { MatrixOptions, MatrixRow } from '../../properties/kill-matrix.js';
import { INVARIANTS } from '../../properties/invariants/registry.js';
import { formatCount } from '../terminal/numbers.js';
import { caughtBy, MATRIX_FORMAT } from './matrix-document.js';
import type { MatrixDocument } from './matrix-document.js';

const HEADS = ['defect', 'caught', 'programs', 'worst', 'steps', 'worst', 'minimized', 'by'] as const;

const cellsOf = (row: MatrixRow): string[] => [
  row.defect,
  `${row.seedsCaught}/${row.seeds}`,
  formatCount(row.medianPrograms),
  formatCount(row.worstPrograms),
  formatCount(row.medianSteps),
  formatCount(row.worstSteps),
  row.minimizedSteps === undefined ? '-' : formatCount(row.minimizedSteps),
  catchersOf(row).join(', '),
];

/** Most seeds first. */
const catchersOf = ({ caughtBy }: MatrixRow): readonly string[] =>
  Object.entries(caughtBy)
    .toSorted(([, one], [, other]) => other - one)
    .map(([invariant]) => invariant);

export const matrixTable = (rows: readonly MatrixRow[], width: number): string => {
  const numbers = 74;
  const widest = Number.isFinite(width) ? Math.max(24, width - numbers) : 60;
  const table = new Table({
    head: [...HEADS],
    colWidths: [undefined, undefined, undefined, undefined, undefined, undefined, undefined, widest].map(
      (each) => each ?? null,
    ),
    wordWrap: true,
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const row of rows) table.push(cellsOf(row));
  return table.toString();
};

export const matrixMarkdown = (rows: readonly MatrixRow[], options: MatrixOptions): string =>
  [
    `Median and worst of ${options.seeds} seeds to the first catch, in programs and steps; steps of the minimized program; and every`,
    `invariant that catches the defect by itself within ${formatCount(options.stepsBeyond)} further steps.`,
    '',
    `| ${HEADS.join(' | ')} |`,
    `|${HEADS.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${cellsOf(row).join(' | ')} |`),
    '',
    ...aloneLines(rows),
  ].join('\n');

export const matrixJson = (rows: readonly MatrixRow[], options: MatrixOptions): string =>
  JSON.stringify({ format: MATRIX_FORMAT, options, rows } satisfies MatrixDocument, undefined, 1);

/** Which invariant is needed: the defects that nobody else catches. */
export const aloneLines = (rows: readonly MatrixRow[]): readonly string[] =>
  INVARIANTS.map(({ id }) => {
    const names = caughtBy(rows, id).alone.join(', ');
    return `- \`${id}\` alone catches: ${names === '' ? 'none' : names}`;
  });
