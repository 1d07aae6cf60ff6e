/** What several runs exercised, invariant by invariant. */

import { BadInput } from '../../../properties/formats/index.js';
import type { Asking } from '../../../properties/invariants/asking.js';
import { EXTENTS, FULLY } from '../../../properties/invariants/asking.js';
import { INVARIANTS, invariantNamed } from '../../../properties/invariants/invariants.js';
import type { CodeShare, GridCoverage, InvariantCoverage, SituationCount } from '../../coverage/coverage-document.js';
import { caughtBy } from '../../coverage/matrix-document.js';
import type { Results } from './read-results.js';
import { isSameRun } from './read-results.js';
import type {
  FindingReport,
  InvariantReport,
  InvariantState,
  MatrixRowReport,
  SituationReport,
} from './report-document.js';
import { STATES } from './report-document.js';

type Defects = NonNullable<InvariantReport['defects']>;

/** The invariants that any run checked, or all if none says, those with problems first. */
export const uniteInvariants = (
  results: readonly Results[],
  matrix: readonly MatrixRowReport[],
  findings: readonly FindingReport[],
): readonly InvariantReport[] => {
  const named = results.flatMap(({ summary, coverage }) =>
    [...(summary?.invariants ?? []), ...(coverage?.invariants ?? [])].map(({ id }) => id),
  );
  const ids = new Set(named.length > 0 ? named : INVARIANTS.map(({ id }) => id));
  return [...ids].map((id) => uniteInvariant(id, results, matrix, findings)).toSorted(bySeverity);
};

const uniteInvariant = (
  id: string,
  results: readonly Results[],
  matrix: readonly MatrixRowReport[],
  findings: readonly FindingReport[],
): InvariantReport => {
  const fuzzed = results.flatMap(({ summary }) => summary?.invariants.filter((each) => each.id === id) ?? []);
  const covered = results.flatMap((each) => coverageOf(each, id));
  const coveredAlone = results.filter((each) => !isSameRun(each)).flatMap((each) => coverageOf(each, id));
  const all = [...fuzzed, ...coveredAlone.map(({ coverage }) => coverage)];
  const exercised = total(all.map((each) => each.exercised));
  const asking = uniteAsking([...fuzzed, ...coveredAlone.map(({ coverage }) => coverage)]);
  const situations = uniteSituations(covered);
  const code = bestCode(covered.map(({ coverage }) => coverage));
  const defects = matrix.length > 0 ? caughtBy(matrix, id) : covered.find(hasDefects)?.coverage.defects;
  const edges = fuzzed.flatMap((each) => each.edges ?? []);
  const found = findings.filter(({ invariant }) => invariant === id).length;
  const gaps = situations !== undefined && situations.reached < situations.reachable;
  return {
    id,
    statement: invariantNamed(id)?.statement ?? covered[0]?.coverage.statement ?? '',
    state: stateOf({ found, exercised, asked: asking.asked, gaps }),
    ...asking,
    checks: total(all.map(({ checks }) => checks)),
    exercised,
    ...(edges.length === 0 ? {} : { edges: Math.max(...edges) }),
    findings: found,
    ...(situations === undefined ? {} : { situations }),
    ...(code === undefined ? {} : { code: { lines: code.lines, branches: code.branches } }),
    ...(defects === undefined ? {} : { defects: defects satisfies Defects }),
  };
};

/** An invariant's part of one coverage document. */
interface InvariantSource {
  readonly directory: string;
  readonly coverage: InvariantCoverage;
}

const coverageOf = ({ directory, coverage }: Results, id: string): readonly InvariantSource[] =>
  coverage === undefined
    ? []
    : coverage.invariants.filter((each) => each.id === id).map((each) => ({ directory, coverage: each }));

/** The run that asked most stands for all. Without any run nothing is known against it. */
const uniteAsking = (all: readonly Asking[]): Asking => {
  const extent = EXTENTS.find((each) => all.some(({ asked }) => asked === each));
  if (extent === undefined || extent === 'fully') return FULLY;
  return {
    asked: extent,
    because: [...new Set(all.flatMap(({ asked, because }) => (asked === extent ? because : [])))],
  };
};

const hasDefects = ({ coverage }: InvariantSource): boolean => coverage.defects !== undefined;

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Shares of code cannot be united, so the run that reached most stands for all. */
const bestCode = (covered: readonly InvariantCoverage[]): CodeShare | undefined =>
  covered
    .flatMap(({ code }) => (code === undefined ? [] : [code.impl]))
    .toSorted((one, other) => other.lines.covered - one.lines.covered)[0];

interface Evidence {
  readonly found: number;
  readonly exercised: number;
  readonly asked: Asking['asked'];
  readonly gaps: boolean;
}

const stateOf = ({ found, exercised, asked, gaps }: Evidence): InvariantState => {
  if (found > 0) return 'broken';
  if (asked === 'not') return 'not-asked';
  if (exercised === 0) return 'unexercised';
  return gaps ? 'gaps' : 'held';
};

/** Among equals, the one with the smaller share of situations first; then in the order of the registry. */
const bySeverity = (one: InvariantReport, other: InvariantReport): number =>
  STATES.indexOf(one.state) - STATES.indexOf(other.state) || reachedShare(one) - reachedShare(other);

const reachedShare = ({ situations }: InvariantReport): number =>
  situations === undefined || situations.reachable === 0 ? 1 : situations.reached / situations.reachable;

/**
 * The situations of one invariant over several runs: counts are summed, and a situation that any run could reach is reachable. Throws
 * `BadInput` if the runs do not have the same situations.
 */
const uniteSituations = (covered: readonly InvariantSource[]): SituationReport | undefined => {
  const [first, ...others] = covered;
  if (first === undefined) return undefined;
  for (const other of others) refuseOtherSituations(first, other);
  const grids = first.coverage.grids.map((grid, index) =>
    uniteGrid([grid, ...others.map(({ coverage }) => coverage.grids[index])]),
  );
  const situations = grids.flatMap((grid) => grid.situations);
  const reached = situations.filter(({ count }) => count > 0).length;
  const unreachable = situations.filter((situation) => situation.unreachable !== undefined).length;
  return { grids, reached, reachable: situations.length - unreachable };
};

const uniteGrid = ([first, ...others]: readonly [GridCoverage, ...GridCoverage[]]): GridCoverage => ({
  name: first.name,
  axes: first.axes,
  situations: first.situations.map((situation, index) =>
    uniteSituation([situation, ...others.map(({ situations }) => situations[index])]),
  ),
});

const uniteSituation = (same: readonly [SituationCount, ...SituationCount[]]): SituationCount => {
  const [{ values, unreachable }] = same;
  const count = total(same.map((each) => each.count));
  const isReachable = count > 0 || same.some((each) => each.unreachable === undefined);
  return isReachable || unreachable === undefined ? { values, count } : { values, count, unreachable };
};

const refuseOtherSituations = (one: InvariantSource, other: InvariantSource): void => {
  if (namesOf(one.coverage) === namesOf(other.coverage)) return;
  const { id } = one.coverage;
  const text = `its situations are not those in ${one.directory}; report runs of different versions separately`;
  throw new BadInput(other.directory, text, { place: `coverage.json: ${id}` });
};

const namesOf = ({ grids }: InvariantCoverage): string =>
  JSON.stringify(grids.map(({ name, situations }) => [name, situations.map(({ values }) => values)]));
