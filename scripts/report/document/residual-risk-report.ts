/** How much a run has left to find, from the counts in its summary. */

import type { Estimate, Rarity } from '../../../properties/campaign/residual-risk.js';
import {
  NOTHING_REACHED,
  addRarity,
  discoveries,
  newPerProgram,
  ruleOfThree,
  unseen,
} from '../../../properties/campaign/residual-risk.js';
import type { Results } from './read-results.js';
import { pathsOf } from './read-results.js';
import type { EdgesReport, Prospect, ResidualRisk } from './report-document.js';
import type { Summary } from './summary-document.js';

/** Counts of several runs cannot be united: which situations were rare in both is not known. */
export const residualRiskOf = (results: Results, summary: Summary): ResidualRisk => {
  const { judged } = summary;
  const asked = summary.invariants.filter((invariant) => invariant.asked !== 'not');
  const all = asked.map(({ situations }) => situations).reduce(addRarity, NOTHING_REACHED);
  return {
    source: pathsOf(results).summary,
    judged,
    neverSeen: rounded(ruleOfThree(judged)),
    situations: prospectOf(all, judged, summary),
    discovery: [...summary.discovery, { programs: summary.programs, situations: all.reached }],
    forecast: forecastOf(all, summary),
    invariants: asked.map(({ id, situations }) => ({ id, situations: prospectOf(situations, judged, summary) })),
  };
};

/** Empty for a subject that counts no edges of its own code. They are known of every program, screened ones too. */
export const edgesReport = (summary: Summary): readonly EdgesReport[] => {
  const { subject, programs, edges } = summary;
  if (edges === undefined) return [];
  const { total, last, reached, once, twice } = edges;
  const rarity = { reached, once, twice, left: total - reached };
  return [{ subject, total, last, ...prospectOf(rarity, programs, summary) }];
};

/** `counted`: how many of the programs are known by what they reached. */
const prospectOf = (rarity: Rarity, counted: number, { programs, time }: Summary): Prospect => {
  const { reached, once, twice, left } = rarity;
  const isNone = once === 0 || left === 0;
  return {
    reached,
    once,
    twice,
    left,
    newPerProgram: roundedEstimate(newPerProgram(rarity, counted)),
    unseen: roundedEstimate(unseen(rarity, counted)),
    again: roundedEstimate(discoveries(rarity, counted, counted)),
    // Programs that were screened pass, too, until the next one that is judged and reaches something new.
    next: isNone ? null : { programs: Math.ceil(programs / once), milliseconds: Math.round(time.milliseconds / once) },
  };
};

/** Points of the forecast, beside the end of the run. */
const FORECAST_POINTS = 8;

const forecastOf = (rarity: Rarity, { judged, programs }: Summary): ResidualRisk['forecast'] =>
  Array.from({ length: FORECAST_POINTS + 1 }, (_, point) => {
    const further = point / FORECAST_POINTS;
    const { value, low, high } = roundedEstimate(discoveries(rarity, judged, further * judged));
    const { reached } = rarity;
    return {
      programs: Math.round(programs * (1 + further)),
      situations: { value: reached + value, low: reached + low, high: reached + high },
    };
  });

const roundedEstimate = ({ value, low, high }: Estimate): Estimate => ({
  value: rounded(value),
  low: rounded(low),
  high: rounded(high),
});

/** No more digits than mean something, and so few that every platform's logarithms give the same. */
const rounded = (value: number): number => Number(value.toPrecision(3));
