/** Documents such as runs leave behind, for tests: every invariant, with gaps, hatched cells and a timeline. */

import { DEFECTS } from '../impl/defects/catalogue.js';
import { INVARIANTS } from '../properties/invariants/invariants.js';
import type {
  CodeShare,
  CoverageDocument,
  InvariantCoverage,
  SituationCount,
} from '../scripts/coverage/coverage-document.js';
import { COVERAGE_FORMAT } from '../scripts/coverage/coverage-document.js';
import type { MatrixDocument } from '../scripts/coverage/matrix-document.js';
import { MATRIX_FORMAT } from '../scripts/coverage/matrix-document.js';

const DIMENSIONS = [
  { name: 'paging', values: ['2-level', 'pae'] },
  { name: 'guest', values: ['coherent', 'hostile'] },
  { name: 'outcome', values: ['mapped', 'fault', 'killed'] },
];

const CODE: CodeShare = {
  lines: { covered: 790, total: 800 },
  branches: { covered: 270, total: 300 },
  functions: { covered: 120, total: 120 },
};

/** A coherent guest is never killed; every fourth invariant was never asked at a fault in PAE. */
const situationsOf = (number: number): readonly SituationCount[] =>
  DIMENSIONS[0].values.flatMap((paging) =>
    DIMENSIONS[1].values.flatMap((guest) =>
      DIMENSIONS[2].values.map((outcome): SituationCount => {
        const values = [paging, guest, outcome];
        if (guest === 'coherent' && outcome === 'killed') {
          return { values, count: 0, unreachable: 'a coherent guest keeps the contract, so nothing kills it' };
        }
        const missing = number % 4 === 1 && paging === 'pae' && outcome === 'fault';
        return { values, count: missing ? 0 : 1000 * (number + 1) };
      }),
    ),
  );

const coverageOf = (id: string, statement: string, number: number): InvariantCoverage => {
  const situations = situationsOf(number);
  return {
    id,
    statement,
    asked: 'fully',
    because: [],
    checks: 200_000,
    exercised: 50_000,
    grids: [{ name: 'an outcome', axes: DIMENSIONS, situations }],
    reached: situations.filter(({ count }) => count > 0).length,
    reachable: situations.filter(({ unreachable }) => unreachable === undefined).length,
    code: { impl: CODE, model: CODE },
  };
};

const SECONDS = 40;

export const sampleCoverage = (): CoverageDocument => ({
  format: COVERAGE_FORMAT,
  version: '0.1.0',
  seed: 'sample',
  subject: 'impl',
  reference: 'model',
  paging: 'both',
  traffic: 'mixed',
  programs: 1_200_000,
  steps: 24_000_000,
  time: {
    started: '2026-01-01T00:00:00.000Z',
    milliseconds: SECONDS * 1000,
    timeline: Array.from({ length: SECONDS }, (_, second) => ({
      milliseconds: (second + 1) * 1000,
      programs: (second + 1) * 30_000,
      steps: (second + 1) * 600_000 + (second % 5) * 40_000,
      situations: Math.floor(180 * (1 - Math.exp(-second / 6))),
      findings: second < 12 ? 0 : 1,
    })),
  },
  invariants: INVARIANTS.map(({ id, statement }, number) => coverageOf(id, statement, number)),
  code: {
    impl: CODE,
    model: CODE,
    unreached: [{ file: 'impl/demand.ts', line: 7, text: 'if (a < b) throw new HostBug("</script>");' }],
    explained: [],
    stale: [],
  },
});

const SEEDS = 20;

/** Each defect is caught by the invariant of its number, every third by the next one too; the fifth escapes two seeds. */
export const sampleMatrix = (): MatrixDocument => ({
  format: MATRIX_FORMAT,
  options: { seeds: SEEDS, mostSteps: 200_000, stepsBeyond: 10_000, mostTries: 20_000 },
  rows: DEFECTS.map(({ id }, number) => {
    const caught = number === 4 ? SEEDS - 2 : SEEDS;
    const first = INVARIANTS[number % INVARIANTS.length].id;
    const next = INVARIANTS[(number + 1) % INVARIANTS.length].id;
    return {
      defect: id,
      caughtBy: number % 3 === 0 ? { [first]: caught, [next]: (number % SEEDS) + 1 } : { [first]: caught },
      seedsCaught: caught,
      seeds: SEEDS,
      medianPrograms: 3,
      worstPrograms: 9,
      medianSteps: 60,
      worstSteps: 200,
      minimizedSteps: 4,
    };
  }),
});
