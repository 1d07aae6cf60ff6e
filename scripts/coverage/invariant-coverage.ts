/** From the counters of a run to what they say of each invariant. */

import type { Grid, GridCount } from '../../properties/invariants/situations/grid.js';
import { axesOf, valuesAt, whyUnreachable } from '../../properties/invariants/situations/grid.js';
import type { Tally } from '../../properties/tally.js';
import type { GridCoverage, InvariantCoverage, SituationCount } from './coverage-document.js';

export const invariantCoverage = (tally: Tally, index: number): InvariantCoverage => {
  const { id, statement } = tally.invariants[index];
  const grids = tally.situations[index].map(gridCoverage);
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

/** A situation that is worth a line: where it is, and its name. */
export interface NamedSituation {
  readonly invariant: string;
  readonly grid: string;
  readonly values: readonly string[];
  readonly unreachable?: string;
}

const named = (
  invariants: readonly InvariantCoverage[],
  wanted: (situation: SituationCount) => boolean,
): readonly NamedSituation[] =>
  invariants.flatMap(({ id, grids }) =>
    grids.flatMap(({ name, situations }) =>
      situations.filter(wanted).map(({ values, unreachable }) => ({
        invariant: id,
        grid: name,
        values,
        ...(unreachable === undefined ? {} : { unreachable }),
      })),
    ),
  );

/** Those that can be reached and were not. */
export const emptySituations = (invariants: readonly InvariantCoverage[]): readonly NamedSituation[] =>
  named(invariants, ({ count, unreachable }) => count === 0 && unreachable === undefined);

/** Those that were reached, though somebody wrote that they cannot be. */
export const impossibleSituations = (invariants: readonly InvariantCoverage[]): readonly NamedSituation[] =>
  named(invariants, ({ count, unreachable }) => count > 0 && unreachable !== undefined);
