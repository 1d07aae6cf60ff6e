/** How long shrinking a counterexample of 200 steps takes. */

import { defectNamed } from '../../../impl/defects/catalogue.js';
import { signatureOf } from '../../../properties/divergence.js';
import type { Case } from '../../../properties/generators/index.js';
import { programArbitrary } from '../../../properties/generators/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { judgeOf } from '../../../properties/judging.js';
import { programSeed, randomFor } from '../../../properties/seeds.js';
import type { Judge } from '../../../properties/shrink/index.js';
import { shrink } from '../../../properties/shrink/index.js';
import { implWith, MODEL } from '../../../properties/subjects/subject-names.js';
import { CAMPAIGN } from '../fuzz-workloads.js';
import type { Figure, Group } from '../measurement.js';
import { figureOf } from '../measurement.js';

const STEPS = 200;
const TAKES = 3;
const DEFECT = 'set-pgd-loses-switcher';

const measure = async (): Promise<readonly Figure[]> => {
  const sides = { model: MODEL, subject: implWith(DEFECT, [defectNamed(DEFECT)!]), invariants: INVARIANTS };
  const judging = judgeOf(sides);
  const { found, signature } = await longCounterexample((each) => judging.judge(each));
  const times: number[] = [];
  const tried: number[] = [];
  for (let take = 0; take < TAKES; take++) {
    const begin = performance.now();
    const small = await shrink({ value: found }, signature, (each) => judging.judge(each), {});
    times.push(performance.now() - begin);
    if (small.kind === 'not-reproduced') throw new Error(`${signature}: not reproduced`);
    tried.push(small.tried);
  }
  await judging.close();
  return [
    figureOf(
      { id: 'shrink', title: `a counterexample of ${STEPS} steps shrunk (${tried[0]} tries)`, unit: 'ms' },
      times,
    ),
  ];
};

const longCounterexample = async (judge: Judge): Promise<{ readonly found: Case; readonly signature: string }> => {
  const arbitrary = programArbitrary({ mostSteps: STEPS, traffic: 'hostile' });
  for (let index = 0; ; index++) {
    const { value } = arbitrary.generate(randomFor(programSeed(CAMPAIGN, index)), undefined);
    if (value.program.steps.length < STEPS) continue;
    const divergence = await judge(value);
    if (divergence !== undefined) return { found: value, signature: signatureOf(divergence) };
  }
};

export const shrinking: Group = { name: 'shrinking', title: 'Shrinking, by the clock', measure };
