/** What a run must reach to pass `coverage --check`. The file is read from the working directory. */

import { z } from 'zod';
import { readTextFile } from '../../properties/corpus/store.js';
import { BadInput, readJson } from '../../properties/formats/index.js';
import type { CoverageDocument, Share } from './coverage-document.js';
import { emptySituations, hasOwnCode, situationName } from './coverage-document.js';

const THRESHOLDS_FORMAT = 'shadowdiff-thresholds/1';
export const THRESHOLDS_FILE = 'coverage.config.json';

const percent = z.number().min(0).max(100);
const file = z.strictObject({
  format: z.literal(THRESHOLDS_FORMAT),
  /** Percentages of impl that the run must reach. */
  impl: z.strictObject({ lines: percent, branches: percent }),
  /** Code that no program can reach, with the reason; it is not counted. */
  explained: z.strictObject({
    /** By the name of the function, in any file. */
    functions: z.record(z.string(), z.string().min(1)),
    /** By file, and by the text of the line. */
    lines: z.record(z.string(), z.record(z.string(), z.string().min(1))),
  }),
});

export type Explanations = z.infer<typeof file>['explained'];

export type Thresholds = z.infer<typeof file>;

export const NOTHING_EXPLAINED: Explanations = { functions: {}, lines: {} };

export const NO_THRESHOLDS: Thresholds = {
  format: THRESHOLDS_FORMAT,
  impl: { lines: 0, branches: 0 },
  explained: NOTHING_EXPLAINED,
};

/** Throws `BadInput`, naming the field. */
export const readThresholds = async (path: string): Promise<Thresholds> => {
  const result = file.safeParse(readJson(await readTextFile(path), path, 'file'));
  if (result.success) return result.data;
  throw new BadInput(
    path,
    `missing or malformed; write {"format":"${THRESHOLDS_FORMAT}","impl":{"lines":98,"branches":95},"explained":{"functions":{},"lines":{}}}`,
    { place: result.error.issues[0].path.join('.') || 'file' },
  );
};

/** Why a run does not pass, a line each; empty if it passes. */
export const shortfalls = (document: CoverageDocument, { impl }: Pick<Thresholds, 'impl'>): readonly string[] => [
  ...document.invariants
    .filter(({ asked, exercised }) => asked !== 'not' && exercised === 0)
    .map(({ id }) => `${id}: never exercised`),
  ...emptySituations(document.invariants).map((each) => `${situationName(each)}: never reached`),
  ...(hasOwnCode(document)
    ? [
        ...belowBar('lines', document.code?.impl.lines, impl.lines),
        ...belowBar('branches', document.code?.impl.branches, impl.branches),
      ]
    : []),
  ...(document.code?.stale ?? []).map((each) => `wrong explanation: ${each}`),
];

const belowBar = (what: string, share: Share | undefined, bar: number): readonly string[] => {
  if (share === undefined) return [`impl: ${what} were not measured; omit --no-code`];
  const reached = share.total === 0 ? 100 : (share.covered / share.total) * 100;
  return reached >= bar ? [] : [`impl: ${reached.toFixed(2)} % of ${what}, below the threshold of ${bar} %`];
};
