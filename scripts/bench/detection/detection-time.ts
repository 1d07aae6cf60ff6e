/**
 * Processor time to the first catch of each defect, with every program judged in full and with most of them screened, in one process and
 * taking turns: only the ratio means anything.
 */

import { defectNamed } from '../../../impl/defects/catalogue.js';
import { pairWith, stepsToDetection } from '../../../properties/detection.js';
import { DEFAULTS } from '../../campaign/campaign-plan.js';
import { cpuMilliseconds } from '../measurement.js';

/** Median milliseconds over the seeds; a seed that caught nothing counts with the time that it took. */
export interface TimeRow {
  readonly defect: string;
  readonly judged: number;
  readonly screened: number;
}

export interface TimeOptions {
  readonly defects: readonly string[];
  readonly seeds: number;
  readonly mostSteps: number;
}

export const measureTimes = async ({ defects, seeds, mostSteps }: TimeOptions): Promise<readonly TimeRow[]> => {
  const taken = defects.map((defect) => ({ defect, judged: [] as number[], screened: [] as number[] }));
  // What the first round takes is mostly compilation, and does not count.
  for (let round = 0; round <= seeds; round++) {
    for (const { defect, judged, screened } of taken) {
      const campaign = `detection/${defect}/${Math.max(round - 1, 0)}`;
      const times = [await timeToDetection(defect, campaign, 1, mostSteps)];
      times.push(await timeToDetection(defect, campaign, DEFAULTS.judge, mostSteps));
      if (round === 0) continue;
      judged.push(times[0]);
      screened.push(times[1]);
    }
  }
  return taken.map(({ defect, judged, screened }) => ({
    defect,
    judged: medianOf(judged),
    screened: medianOf(screened),
  }));
};

/** How many times sooner a screened campaign catches, as the geometric mean over the defects. */
export const timesSooner = (rows: readonly TimeRow[]): number =>
  Math.exp(rows.reduce((sum, { judged, screened }) => sum + Math.log(judged / screened), 0) / rows.length);

/** Allocating machines takes longer than many programs, and is not measured. */
const timeToDetection = async (defect: string, campaign: string, judge: number, mostSteps: number): Promise<number> => {
  const pair = pairWith(defectNamed(defect)!);
  await pair.start();
  const begin = cpuMilliseconds();
  await stepsToDetection(pair, { mixture: 'swarm', campaign, judge, mostSteps });
  return cpuMilliseconds() - begin;
};

const medianOf = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1];
