/**
 * A worker's task: processor time to the first catch of one defect, with every program judged in full and with most of them screened. Each
 * defect has a process of its own, as in a campaign: V8 compiles for one subject.
 */

import { defectNamed } from '../../../impl/defects/catalogue.js';
import { pairWith, stepsToDetection } from '../../../properties/detection.js';
import type { Pair } from '../../../properties/pair.js';
import { DEFAULTS } from '../../campaign/new-plan.js';
import { cpuMilliseconds } from '../measurement.js';

/** Milliseconds to the first catch: means over the seeds. A seed that caught nothing counts with the time that it took. */
export interface TimeRow {
  readonly defect: string;
  readonly judged: number;
  readonly screened: number;
}

export interface TimeTask {
  readonly defect: string;
  readonly seeds: number;
  readonly mostSteps: number;
}

/** Of processor time for each side, before anything counts: what a process takes at first is mostly compilation. */
const WARM_UP_MILLISECONDS = 1000;
const ROUNDS = 5;

const measureTime = async ({ defect, seeds, mostSteps }: TimeTask): Promise<TimeRow> => {
  const planted = defectNamed(defect);
  if (planted === undefined) throw new Error(`there is no defect ${defect}`);
  // Allocating machines takes longer than many programs, so each side keeps its own.
  const [judged, screened] = [pairWith(planted), pairWith(planted)];
  const pass = async (pair: Pair, judge: number): Promise<number> => {
    const begin = cpuMilliseconds();
    for (let seed = 0; seed < seeds; seed++) {
      const campaign = `detection/${defect}/${seed}`;
      const { steps } = pair.tally;
      await stepsToDetection(pair, { mixture: 'swarm', campaign, judge, mostSteps: steps + mostSteps });
    }
    return (cpuMilliseconds() - begin) / seeds;
  };
  for (const [pair, judge] of [
    [judged, 1],
    [screened, DEFAULTS.judge],
  ] as const) {
    const begin = cpuMilliseconds();
    while (cpuMilliseconds() - begin < WARM_UP_MILLISECONDS) await pass(pair, judge);
  }
  const rounds: (readonly [number, number])[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push([await pass(judged, 1), await pass(screened, DEFAULTS.judge)]);
  return {
    defect,
    judged: medianOf(rounds.map(([time]) => time)),
    screened: medianOf(rounds.map(([, time]) => time)),
  };
};

const medianOf = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1];

export default measureTime;
