/** Turns the counters of a run into its coverage document. */

import type { Grid, GridCount } from '../../properties/invariants/situations/grid.js';
import { axesOf, isReported, valuesAt, whyUnreachable } from '../../properties/invariants/situations/grid.js';
import type { Tally } from '../../properties/tally.js';
import { packageVersion } from '../own-package.js';
import type { CodeCoverage } from './code/measure-code.js';
import type { CoverageDocument, GridCoverage, InvariantCoverage, SituationCount } from './coverage-document.js';
import { COVERAGE_FORMAT } from './coverage-document.js';
import type { CoveragePlan, CoverageRun } from './coverage-run.js';
import type { Caught } from './matrix-document.js';
import { caughtBy } from './matrix-document.js';

/** Results from outside the run; undefined if not measured. */
interface Sources {
  readonly matrix: readonly Caught[] | undefined;
  readonly code: CodeCoverage | undefined;
}

export const buildCoverage = (plan: CoveragePlan, run: CoverageRun, sources: Sources): CoverageDocument => {
  const { campaign, programs, invariants } = plan;
  const { result, watch, started, milliseconds } = run;
  const { code } = sources;
  return {
    format: COVERAGE_FORMAT,
    version: packageVersion(),
    seed: campaign,
    paging: programs.paging,
    traffic: programs.traffic,
    programs: result.programs,
    steps: result.tally.steps,
    time: {
      started: started.toISOString(),
      milliseconds: Math.round(milliseconds),
      timeline: watch.timeline(result.tally, milliseconds),
    },
    invariants: invariants.map((_, index) => ofInvariant(index, run, sources)),
    ...(code === undefined ? {} : { code: codeOf(code) }),
  };
};

const codeOf = ({ total, unreached, explained, stale }: CodeCoverage): NonNullable<CoverageDocument['code']> => ({
  ...total,
  unreached,
  explained,
  stale,
});

const ofInvariant = (index: number, run: CoverageRun, { matrix, code }: Sources): InvariantCoverage => {
  const counted = invariantCoverage(run.result.tally, index);
  const share = code?.perInvariant.get(counted.id);
  return {
    ...counted,
    ...lastNew(index, run),
    ...(share === undefined ? {} : { code: share }),
    ...(matrix === undefined ? {} : { defects: caughtBy(matrix, counted.id) }),
  };
};

const lastNew = (
  index: number,
  { result, watch, milliseconds }: CoverageRun,
): Pick<InvariantCoverage, 'lastNew'> | undefined => {
  if (result.tally.lastNew[index] === 0) return undefined;
  const { program, milliseconds: at } = watch.lastNew[index];
  const programsSince = result.programs - 1 - program;
  return { lastNew: { program, programsSince, millisecondsSince: Math.round(milliseconds - at) } };
};

/** What the counters say about one invariant: its situations, and how many of them were reached. */
export const invariantCoverage = (tally: Tally, index: number): InvariantCoverage => {
  const { id, statement } = tally.invariants[index];
  const grids = tally.situations[index].filter(isReported).map(gridCoverage);
  const situations = grids.flatMap((grid) => grid.situations);
  return {
    id,
    statement,
    checks: tally.checks[index],
    exercised: tally.exercised[index],
    grids,
    reached: situations.filter(({ count }) => count > 0).length,
    reachable: situations.filter(({ unreachable }) => unreachable === undefined).length,
  };
};

const gridCoverage = ({ grid, counts }: GridCount): GridCoverage => ({
  name: grid.name,
  axes: axesOf(grid),
  situations: Array.from(counts, (count, index) => situation(grid, index, count)),
});

const situation = (grid: Grid, index: number, count: number): SituationCount => {
  const values = valuesAt(grid, index);
  const unreachable = whyUnreachable(grid, index);
  return unreachable === undefined ? { values, count } : { values, count, unreachable };
};
