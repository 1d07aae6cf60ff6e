/** From a run to the document that tells of it. */

import { caughtBy } from './matrix-document.js';
import { packageVersion } from '../own-package.js';
import type { CodeCoverage } from './code/measure-code.js';
import type { CoverageDocument, InvariantCoverage } from './coverage-document.js';
import { COVERAGE_FORMAT } from './coverage-document.js';
import type { Caught } from './matrix-document.js';
import { invariantCoverage } from './invariant-coverage.js';
import type { CoveragePlan, CoverageRun } from './run.js';

/** What is known beside the run itself. */
interface Sources {
  readonly matrix: readonly Caught[] | undefined;
  readonly code: CodeCoverage | undefined;
}

export const documentOf = (plan: CoveragePlan, run: CoverageRun, sources: Sources): CoverageDocument => {
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
