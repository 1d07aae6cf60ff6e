/** Which steps a divergence needs: removes each by itself, and judges the program again. */

import type { Case } from '../generators/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import type { Divergence, SubjectFailure } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { JudgeOptions } from '../judging.js';
import { hurriedJudgeOf, judgeOf } from '../judging.js';
import { reachedSteps } from './frames.js';
import { withoutStep } from '../generators/case.js';
import { whyOutside } from '../subjects/scope.js';
import type { Necessity } from './explanation.js';

/** A bound on the steps of all trials together: enough for a program of a thousand steps. A trial that does not diverge takes all. */
const MOST_STEPS_TAKEN = 1_000_000;

/** False for a very long program, or long ones before it, and for a timeout, where each trial would take as long again. */
export const triesSteps = (divergence: Divergence, program: Program, before: readonly Program[] = []): boolean =>
  divergence.invariant !== TIMEOUT &&
  reachedSteps(divergence, program) * stepsOf([...before, program]) <= MOST_STEPS_TAKEN;

/** Creating a machine counts as one. */
const stepsOf = (programs: readonly Program[]): number =>
  programs.reduce((sum, { steps }) => sum + steps.length + 1, -1);

const TIMEOUT: SubjectFailure = 'subject-timeout';

/** One for each step of the program. `pause` is awaited before each trial. */
export const necessities = async (
  { traffic, program }: Case,
  divergence: Divergence,
  options: JudgeOptions & { readonly before?: readonly Program[] | undefined },
  pause: () => Promise<void> | undefined,
): Promise<readonly Necessity[]> => {
  const { steps } = program;
  const reached = reachedSteps(divergence, program);
  const behind = steps.slice(reached).map((): Necessity => ({ kind: 'not-reached' }));
  const { before = [], profile = 'lguest' } = options;
  if (!triesSteps(divergence, program, before))
    return [...steps.slice(0, reached).map((): Necessity => ({ kind: 'not-tried' })), ...behind];
  const isApart = before.length > 0 || divergence.place.kind === 'end-of-input';
  const judging = (isApart ? judgeOf : hurriedJudgeOf)(options, divergence);
  const found: Necessity[] = [];
  try {
    for (let index = 0; index < reached; index++) {
      await pause();
      const shorter = withoutStep({ traffic, program }, index, profile);
      if (whyOutside(shorter.program, profile) !== undefined) {
        found.push({ kind: 'outside' });
        continue;
      }
      const other = await judging.judge(shorter, before);
      found.push(necessityOf(other, signatureOf(divergence)));
    }
  } finally {
    await judging.close();
  }
  return [...found, ...behind];
};

const necessityOf = (other: Divergence | undefined, signature: string): Necessity => {
  if (other === undefined) return { kind: 'needed' };
  const instead = signatureOf(other);
  return instead === signature ? { kind: 'superfluous' } : { kind: 'shapes', signature: instead };
};
