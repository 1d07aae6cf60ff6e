/** Which steps a divergence needs: each is removed by itself, and the program judged again. */

import type { Case } from '../arbitraries/index.js';
import { keepsContract } from '../contract.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { JudgeOptions } from '../fuzz.js';
import { judgeOf } from '../fuzz.js';
import type { Necessity } from './story.js';

/** Steps that may be taken for all trials together: enough for a program of a thousand steps. */
const MOST_STEPS_TAKEN = 1_000_000;

export const judgesSteps = (taken: number): boolean => taken * taken <= MOST_STEPS_TAKEN;

/** For each step of the program; `pause` is awaited before each trial. */
export const necessities = async (
  { traffic, program }: Case,
  divergence: Divergence,
  options: JudgeOptions,
  pause: () => Promise<void> | undefined,
): Promise<readonly Necessity[]> => {
  const { steps } = program;
  const { place } = divergence;
  const reached = place.kind === 'create' ? 0 : place.kind === 'step' ? place.index + 1 : steps.length;
  const behind = steps.slice(reached).map((): Necessity => ({ kind: 'not-reached' }));
  if (!judgesSteps(reached)) return [...steps.slice(0, reached).map((): Necessity => ({ kind: 'not-tried' })), ...behind];
  const judging = judgeOf(options, divergence.invariant);
  const found: Necessity[] = [];
  try {
    for (let index = 0; index < reached; index++) {
      await pause();
      const shorter = { machine: program.machine, steps: steps.toSpliced(index, 1) };
      // A guest that no longer keeps its contract is a hostile one.
      const kept = traffic === 'coherent' && keepsContract(shorter);
      const other = await judging.judge({ traffic: kept ? 'coherent' : 'hostile', program: shorter });
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
