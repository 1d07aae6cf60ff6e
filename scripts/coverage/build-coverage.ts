/** Turns the counters of a run into its coverage document. */

import type { GridCount } from '../../properties/invariants/situations/grid.js';
import { axesOf, isReported, valuesAt, whyUnreachable } from '../../properties/invariants/situations/grid.js';
import type { Asking } from '../../properties/invariants/asking.js';
import { askingOf } from '../../properties/invariants/asking.js';
import { whyOutOfReach } from '../../properties/invariants/situations/out-of-reach.js';
import type { ProgramOptions } from '../../properties/generators/index.js';
import type { Scope } from '../../properties/subjects/scope.js';
import type { Tally } from '../../properties/tally.js';
import { packageVersion } from '../own-package.js';
import type { CodeCoverage } from './code/measure-code.js';
import type { CoverageDocument, GridCoverage, InvariantCoverage } from './coverage-document.js';
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
  const { campaign, sides, programs, invariants } = plan;
  const { subject, model, profile } = sides;
  const { result, watch, started, milliseconds } = run;
  const { code } = sources;
  return {
    format: COVERAGE_FORMAT,
    version: packageVersion(),
    seed: campaign,
    subject: subject.name,
    reference: model.name,
    ...(profile === 'lguest' ? {} : { profile }),
    ...(plan.scope.features.length === 0 ? {} : { features: [...plan.scope.features] }),
    paging: programs.paging,
    traffic: programs.traffic,
    programs: result.programs,
    steps: result.tally.steps,
    diverged: result.diverged,
    time: {
      started: started.toISOString(),
      milliseconds: Math.round(milliseconds),
      timeline: watch.timeline(result.tally, milliseconds),
    },
    invariants: invariants.map((_, index) => ofInvariant(index, plan, run, sources)),
    ...(code === undefined ? {} : { code: codeOf(code) }),
  };
};

const codeOf = ({ total, unreached, explained, stale }: CodeCoverage): NonNullable<CoverageDocument['code']> => ({
  ...total,
  unreached,
  explained,
  stale,
});

const ofInvariant = (
  index: number,
  { scope, programs }: CoveragePlan,
  run: CoverageRun,
  { matrix, code }: Sources,
): InvariantCoverage => {
  const counted = invariantCoverage(run.result.tally, index, { scope, traffic: programs.traffic });
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

/** On what it depends which situations a run can reach. */
interface Reach extends Pick<ProgramOptions, 'traffic'> {
  readonly scope: Scope;
}

/** What the counters say about one invariant: its situations, and how many of them were reached. */
export const invariantCoverage = (tally: Tally, index: number, { scope, traffic }: Reach): InvariantCoverage => {
  const invariant = tally.invariants[index];
  const { id, statement } = invariant;
  const asking = askingOf(invariant, scope, traffic);
  const grids = tally.situations[index].filter(isReported).map((each) => gridCoverage(each, asking, scope));
  const situations = grids.flatMap((grid) => grid.situations);
  return {
    id,
    statement,
    ...asking,
    checks: tally.checks[index],
    exercised: tally.exercised[index],
    grids,
    reached: situations.filter(({ count }) => count > 0).length,
    reachable: situations.filter(({ unreachable }) => unreachable === undefined).length,
  };
};

const gridCoverage = ({ grid, counts }: GridCount, asking: Asking, scope: Scope): GridCoverage => ({
  name: grid.name,
  axes: axesOf(grid),
  situations: Array.from(counts, (count, index) => {
    const unreachable = whyUnreachable(grid, index) ?? whyOutOfReach(grid, index, asking, scope);
    return { values: valuesAt(grid, index), count, ...(unreachable === undefined ? {} : { unreachable }) };
  }),
});
