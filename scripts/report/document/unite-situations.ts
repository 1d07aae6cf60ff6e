import { BadInput } from '../../../properties/formats/index.js';
import type { GridCoverage, InvariantCoverage, SituationCount } from '../../coverage/coverage-document.js';
import type { BucketReport, GridReport, SituationReport } from './report-document.js';
import type { CoverageHere } from './unite-invariants.js';

/**
 * The buckets of one invariant over several runs: counts are summed, and a bucket that any run filled is reachable. Throws
 * `BadInput` if the runs do not speak of the same buckets.
 */
export const uniteSituations = (covered: readonly CoverageHere[]): SituationReport | undefined => {
  const [first, ...others] = covered;
  if (first === undefined) return undefined;
  for (const other of others) refuseOtherBuckets(first, other);
  const grids = first.coverage.grids.map((grid, index) =>
    uniteGrid([grid, ...others.map(({ coverage }) => coverage.grids[index])]),
  );
  const buckets = grids.flatMap((grid) => grid.buckets);
  const reached = buckets.filter(({ count }) => count > 0).length;
  const unreachable = buckets.filter((bucket) => bucket.unreachable !== undefined).length;
  return { grids, reached, reachable: buckets.length - unreachable };
};

const uniteGrid = ([first, ...others]: readonly [GridCoverage, ...GridCoverage[]]): GridReport => ({
  name: first.name,
  axes: first.axes,
  buckets: first.situations.map((bucket, index) =>
    uniteBucket([bucket, ...others.map(({ situations }) => situations[index])]),
  ),
});

const uniteBucket = (same: readonly [SituationCount, ...SituationCount[]]): BucketReport => {
  const [{ values, unreachable }] = same;
  const count = same.reduce((sum, each) => sum + each.count, 0);
  return count > 0 || unreachable === undefined ? { values, count } : { values, count, unreachable };
};

const refuseOtherBuckets = (one: CoverageHere, other: CoverageHere): void => {
  if (namesOf(one.coverage) === namesOf(other.coverage)) return;
  const { id } = one.coverage;
  const text = `its situations are not those in ${one.directory}; report runs of different versions apart`;
  throw new BadInput(other.directory, text, { place: `coverage.json: ${id}` });
};

const namesOf = ({ grids }: InvariantCoverage): string =>
  JSON.stringify(grids.map(({ name, situations }) => [name, situations.map(({ values }) => values)]));
