/** A worker's task: one defect, one mixture, all seeds. */

import { defectNamed } from '../../../impl/defects/catalogue.js';
import { pairWith, stepsToDetection } from '../../../properties/detection.js';
import type { Mixture } from '../../../properties/generators/index.js';

export interface DetectionTask {
  readonly defect: string;
  readonly mixture: Mixture;
  readonly seeds: number;
  readonly mostSteps: number;
}

/** Steps to the first catch for each seed, ascending; Infinity if it reached the limit. Each defect has its own programs. */
const detect = async ({ defect, mixture, seeds, mostSteps }: DetectionTask): Promise<readonly number[]> => {
  const planted = defectNamed(defect);
  if (planted === undefined) throw new Error(`there is no defect ${defect}`);
  const steps: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    steps.push(
      await stepsToDetection(pairWith(planted), { mixture, campaign: `detection/${defect}/${seed}`, mostSteps }),
    );
  }
  return steps.toSorted((one, other) => one - other);
};

export default detect;
