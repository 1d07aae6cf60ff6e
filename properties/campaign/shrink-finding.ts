/** Working out a finding of a campaign: its program is shrunk, and then run again to see whether it always shows. */

import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { Finding } from '../finding.js';
import type { Case } from '../generators/index.js';
import type { JudgeOptions } from '../judging.js';
import { judgeOf } from '../judging.js';
import { Pair } from '../pair.js';
import { shrink } from '../shrink/index.js';
import type { BatchOptions } from './batch.js';
import { divergencesOf, programsOf } from './programs.js';

export interface ShrinkWatcher {
  /** Awaited before every candidate. */
  readonly pause: () => void | Promise<void>;
  /** True ends the search with the smallest program so far. */
  readonly interrupted: () => boolean;
}

/** `not-reproduced`: the program did not show the finding on machines of its own. */
export type ShrunkFinding =
  { readonly kind: 'shrunk'; readonly finding: Finding } | { readonly kind: 'not-reproduced' };

/**
 * Shrinks the program of a finding. It starts from the program as it was generated, which still knows its macros. Deterministic if the
 * subject is and nothing interrupts it.
 */
export const shrinkFinding = async (
  options: BatchOptions & { readonly mostTries: number },
  finding: Finding,
  { pause, interrupted }: ShrinkWatcher,
): Promise<ShrunkFinding> => {
  const { program } = finding.provenance;
  const signature = signatureOf(finding.divergence);
  const judging = judgeOf(options, finding.divergence.invariant);
  const judge = async (candidate: Case): Promise<Divergence | undefined> => {
    await pause();
    return await judging.judge(candidate);
  };
  try {
    for await (const shown of divergencesOf(new Pair(options), program, programsOf(options)(program))) {
      if (signatureOf(shown.divergence) !== signature) continue;
      const { mostTries } = options;
      const small = await shrink(shown.generated, signature, judge, { mostTries, interrupted });
      if (small.kind === 'not-reproduced') return small;
      const shrunk = small.interrupted ? 'partly' : 'wholly';
      return { kind: 'shrunk', finding: { ...finding, case: small.case, divergence: small.divergence, shrunk } };
    }
    return { kind: 'not-reproduced' };
  } finally {
    await judging.close();
  }
};

/** In how many of `runs` the finding's program shows its signature again. */
export const timesShown = async (
  options: JudgeOptions,
  { case: found, divergence }: Pick<Finding, 'case' | 'divergence'>,
  runs: number,
  pause: () => void | Promise<void>,
): Promise<number> => {
  const judging = judgeOf(options, divergence.invariant);
  let shown = 0;
  try {
    for (let time = 0; time < runs; time++) {
      await pause();
      const again = await judging.judge(found);
      if (again !== undefined && signatureOf(again) === signatureOf(divergence)) shown++;
    }
    return shown;
  } finally {
    await judging.close();
  }
};
