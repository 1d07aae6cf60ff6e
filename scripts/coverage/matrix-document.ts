/** The kill matrix, which shows the invariants that catch each catalogued defect: its document, and its forms as text. */

import * as z from 'zod';
import type { Immutable } from '../../properties/formats/fields.js';
import { anyText, choice, listOf, naturalNumber, openObject, tableOf } from '../../properties/formats/fields.js';
import { BadInput } from '../../properties/formats/index.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import type { MatrixOptions, MatrixRow } from '../../properties/kill-matrix.js';
import { formatCount } from '../terminal/numbers.js';
import { readDocument } from './read-document.js';

export const MATRIX_FORMAT = 'shadowdiff-matrix/1';
export const MATRIX_FILE = 'matrix.json';

const matrixRow = openObject({
  defect: anyText,
  caughtBy: tableOf(naturalNumber),
  seedsCaught: naturalNumber,
  seeds: naturalNumber,
  medianPrograms: naturalNumber,
  worstPrograms: naturalNumber,
  medianSteps: naturalNumber,
  worstSteps: naturalNumber,
  minimizedSteps: z.optional(naturalNumber),
}) satisfies z.core.$ZodType<Omit<MatrixRow, 'minimizedSteps'>>;

export const matrixDocument = openObject({
  format: choice([MATRIX_FORMAT]),
  options: openObject({
    seeds: naturalNumber,
    mostSteps: naturalNumber,
    stepsBeyond: naturalNumber,
    mostTries: naturalNumber,
  }),
  rows: listOf(matrixRow),
});

export type MatrixDocument = Immutable<z.infer<typeof matrixDocument>>;

/** The invariants that catch a defect, each with the number of seeds in which it did. */
export type Caught = Pick<MatrixDocument['rows'][number], 'defect' | 'caughtBy'>;

/** Reads what `defects matrix --json` printed; undefined if there is no such file. Throws `BadInput`. */
export const readMatrix = async (path: string): Promise<readonly Caught[] | undefined> =>
  (await readDocument(path, matrixDocument))?.rows;

/** The same for a file that must exist. */
export const readNamedMatrix = async (path: string): Promise<readonly Caught[]> => {
  const rows = await readMatrix(path);
  if (rows === undefined) throw new BadInput(path, 'there is no such file; write it with "defects matrix --json"');
  return rows;
};

/** The defects that no other invariant catches, and those that others catch too. */
export const caughtBy = (
  rows: readonly Caught[],
  invariant: string,
): { readonly alone: readonly string[]; readonly withOthers: readonly string[] } => {
  const caught = rows.filter((row) => (row.caughtBy[invariant] ?? 0) > 0);
  const isAlone = (row: Caught): boolean => catchers(row).length === 1;
  return {
    alone: caught.filter(isAlone).map(({ defect }) => defect),
    withOthers: caught.filter((row) => !isAlone(row)).map(({ defect }) => defect),
  };
};

const catchers = ({ caughtBy: counts }: Caught): readonly string[] =>
  Object.keys(counts).filter((invariant) => counts[invariant] > 0);

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

export const matrixTable = async (rows: readonly MatrixRow[], width: number): Promise<string> => {
  // Loaded on demand: every run reads this format, and few print it.
  const { default: Table } = await import('cli-table3');
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

/** What the columns hold, in two lines. */
export const matrixLegend = ({ seeds, stepsBeyond }: MatrixOptions): readonly string[] => [
  `Median and worst of ${seeds} seeds to the first catch, in programs and steps; steps of the minimized program; and every`,
  `invariant that catches the defect by itself within ${formatCount(stepsBeyond)} further steps.`,
];

export const matrixMarkdown = (rows: readonly MatrixRow[], options: MatrixOptions): string =>
  [
    ...matrixLegend(options),
    '',
    `| ${HEADS.join(' | ')} |`,
    `|${HEADS.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${cellsOf(row).join(' | ')} |`),
    '',
    ...aloneLines(rows),
  ].join('\n');

export const matrixJson = (rows: readonly MatrixRow[], options: MatrixOptions): string =>
  JSON.stringify({ format: MATRIX_FORMAT, options, rows } satisfies MatrixDocument, undefined, 1);

/** Why each invariant is needed: the defects that no other invariant catches. */
export const aloneLines = (rows: readonly MatrixRow[]): readonly string[] =>
  INVARIANTS.map(({ id }) => {
    const names = caughtBy(rows, id).alone.join(', ');
    return `- \`${id}\` alone catches: ${names === '' ? 'none' : names}`;
  });
