/**
 * How much a campaign has left to find. Programs are drawn alike, so what few of them reached says how much none did: the estimators of
 * species richness, which Böhme brought to fuzzing (STADS: Software Testing as Species Discovery, TOSEM 27(2), 2018). A species is a
 * cell (cells.ts), a sampling unit is a program that was judged (for edges any program), and what counts is in how many units a species was
 * met (incidence).
 */

import type { Grid, GridCount } from '../invariants/situations/grid.js';
import { isReported, whyUnreachable } from '../invariants/situations/grid.js';

/** How rare what was reached is. */
export interface Rarity {
  /** Cells that programs reached. */
  readonly reached: number;
  /** Of these, cells that exactly one program reached: f1 in the literature. */
  readonly once: number;
  /** And exactly two: f2. */
  readonly twice: number;
  /** Cells that no program reached, and that some program of these sides may reach. */
  readonly left: number;
}

export const NOTHING_REACHED: Rarity = { reached: 0, once: 0, twice: 0, left: 0 };

export const addRarity = (one: Rarity, other: Rarity): Rarity => ({
  reached: one.reached + other.reached,
  once: one.once + other.once,
  twice: one.twice + other.twice,
  left: one.left + other.left,
});

/** Whether programs of these sides may reach a cell of a grid that programs of others reach. */
export type InReach = (grid: Grid, cell: number) => boolean;

/** Of the situations of these grids. */
export const rarityOf = (grids: readonly GridCount[], isInReach: InReach = () => true): Rarity =>
  grids
    .filter(isReported)
    .map((each) => gridRarity(each, isInReach))
    .reduce(addRarity, NOTHING_REACHED);

const gridRarity = ({ grid, incidence }: GridCount, isInReach: InReach): Rarity => ({
  reached: incidence.reduce((sum, programs) => sum + Number(programs > 0), 0),
  once: incidence.reduce((sum, programs) => sum + Number(programs === 1), 0),
  twice: incidence.reduce((sum, programs) => sum + Number(programs === 2), 0),
  left: incidence.reduce(
    (sum, programs, cell) =>
      sum + Number(programs === 0 && whyUnreachable(grid, cell) === undefined && isInReach(grid, cell)),
    0,
  ),
});

/** An estimate with its interval of 95 % confidence. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The two-sided 95 % quantile of the normal distribution. */
const Z = 1.96;

/**
 * An event that none of `programs` showed is in less than this share of all programs, with 95 % confidence: the rule of three (Hanley and
 * Lippman-Hand, JAMA 249, 1983).
 */
export const ruleOfThree = (programs: number): number => (programs === 0 ? 1 : Math.min(1, 3 / programs));

/**
 * How many cells that no program reached the next program reaches, on average; so small a number is the probability that it reaches any.
 * Good and Turing (Biometrika 40, 1953), with the interval of Esty (Annals of Statistics 11, 1983). `judged`: programs so far.
 */
export const newPerProgram = ({ once, twice, left }: Rarity, judged: number): Estimate => {
  if (left === 0) return NONE;
  if (judged === 0) return { value: left, low: 0, high: left };
  const value = once / judged;
  const margin = (Z * Math.sqrt(once + 2 * twice)) / judged;
  return within(left, {
    value,
    low: Math.max(0, value - margin),
    high: Math.max(ruleOfThree(judged), value + margin),
  });
};

/**
 * How many cells are left that such programs can reach: Chao's estimator for incidence (Chao2, Biometrics 43, 1987), with its log-normal
 * interval. It errs on the low side if some cells are much rarer than others. Never more than `left`.
 */
export const unseen = (rarity: Rarity, judged: number): Estimate => {
  const { once, twice, left } = rarity;
  if (left === 0) return NONE;
  const value = expectedUnseen(once, twice, judged);
  if (value === 0) return { value: 0, low: 0, high: left };
  return within(left, logNormal(value, unseenVariance(once, twice, judged)));
};

/**
 * How many cells the next `more` programs reach that none has reached so far (Chao et al., Ecological Monographs 84, 2014, equation 14 for
 * incidence). The interval is for that number, not for its mean: to the error of the estimate, by the delta method, comes chance.
 */
export const discoveries = ({ once, twice, left }: Rarity, judged: number, more: number): Estimate => {
  if (left === 0 || more === 0) return NONE;
  if (once === 0) return within(left, { value: 0, low: 0, high: ruleOfThree(judged) * more });
  const expected = (f1: number, f2: number): number => expectedDiscoveries(f1, f2, judged, more);
  const value = expected(once, twice);
  const byOnce = expected(once + HALF, twice) - expected(once - HALF, twice);
  const byTwice = expected(once, twice + HALF) - expected(once, Math.max(0, twice - HALF));
  const variance = byOnce ** 2 * once + byTwice ** 2 * twice + value;
  return within(left, logNormal(value, variance));
};

/** The step of a difference quotient over counts. */
const HALF = 0.5;

const expectedDiscoveries = (once: number, twice: number, judged: number, more: number): number => {
  const hidden = expectedUnseen(once, twice, judged);
  return hidden * (1 - (1 - once / (judged * hidden + once)) ** more);
};

/** A single cell met once would make it 0, and leave nothing to extrapolate: half a cell is taken then. */
const expectedUnseen = (once: number, twice: number, judged: number): number => {
  const share = judged <= 1 ? 1 : (judged - 1) / judged;
  return share * (twice > 0 ? once ** 2 / (2 * twice) : (once * Math.max(1, once - 1)) / 2);
};

/** As EstimateS has it (Colwell, appendix B, equations 6 and 7). */
const unseenVariance = (once: number, twice: number, judged: number): number => {
  const share = judged <= 1 ? 1 : (judged - 1) / judged;
  if (twice > 0) {
    const ratio = once / twice;
    return twice * ((share / 2) * ratio ** 2 + share ** 2 * ratio ** 3 + (share ** 2 / 4) * ratio ** 4);
  }
  return (share * once * Math.max(1, once - 1)) / 2 + (share ** 2 * once * (2 * once - 1) ** 2) / 4;
};

const NONE: Estimate = { value: 0, low: 0, high: 0 };

const logNormal = (value: number, variance: number): Estimate => {
  const factor = Math.exp(Z * Math.sqrt(Math.log(1 + variance / value ** 2)));
  return { value, low: value / factor, high: value * factor };
};

const within = (most: number, { value, low, high }: Estimate): Estimate => ({
  value: Math.min(most, value),
  low: Math.min(most, low),
  high: Math.min(most, high),
});
