/** Working out a finding of a campaign: its program is shrunk, and then run again to see whether it always shows. */

import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { Finding, Shown } from '../finding.js';
import { isRunAgain } from '../finding.js';
import type { Case } from '../generators/index.js';
import type { JudgeOptions, Judging } from '../judging.js';
import { hurriedJudgeOf, judgeOf } from '../judging.js';
import { Pair } from '../pair.js';
import type { Progress, Shrinkable } from '../shrink/index.js';
import { shrink } from '../shrink/index.js';
import type { BatchOptions } from './batch.js';
import { divergencesOf, programsOf } from './programs.js';

export interface ShrinkWatcher {
  /** Awaited before every candidate. */
  readonly pause: () => void | Promise<void>;
  /** True ends the search with the smallest program so far. */
  readonly interrupted: () => boolean;
  readonly onProgress?: (progress: Progress) => void;
}

export interface ShrinkFindingOptions extends BatchOptions {
  readonly mostTries: number;
}

/** `not-reproduced`: the program did not show the finding on machines of its own. */
export type ShrunkFinding =
  { readonly kind: 'shrunk'; readonly finding: Finding } | { readonly kind: 'not-reproduced' };

/**
 * Shrinks the program of a finding. It starts from the program as it was generated, which still knows its macros. Deterministic if the
 * subject is and nothing interrupts it.
 */
export const shrinkFinding = async (
  options: ShrinkFindingOptions,
  finding: Finding,
  watcher: ShrinkWatcher,
): Promise<ShrunkFinding> => {
  const { divergence } = finding;
  if (divergence.place.kind === 'end-of-input')
    return await shrinkFrom({ value: finding.case }, judgeOf(options, divergence), options, finding, watcher);
  const start = await generatedFor(options, finding);
  if (start === undefined) return { kind: 'not-reproduced' };
  const hurried = await shrinkFrom(start, hurriedJudgeOf(options, divergence), options, finding, watcher);
  if (hurried.kind === 'shrunk' && (await isConfirmed(options, hurried.finding))) return hurried;
  // What a subject remembered from other candidates misled the search.
  return await shrinkFrom(start, judgeOf(options, divergence), options, finding, watcher);
};

/** In a process of its own, if a side is outside this one. */
const isConfirmed = async (options: JudgeOptions, finding: Finding): Promise<boolean> => {
  const isInside = options.subject.kind === 'in-process' && options.model.kind === 'in-process';
  if (isInside) return true;
  const judging = judgeOf(options, finding.divergence);
  try {
    return await showsAgain(judging, finding);
  } finally {
    await judging.close();
  }
};

/** What shows the finding, as it was generated. */
const generatedFor = async (options: ShrinkFindingOptions, finding: Finding): Promise<Shrinkable | undefined> => {
  const { program } = finding.provenance;
  const { invariant } = finding.divergence;
  const signature = signatureOf(finding.divergence);
  const pair = new Pair(options);
  await pair.close();
  const generated = programsOf(options)(program);
  for await (const shown of divergencesOf(pair, program, generated, invariant, options.profile))
    if (signatureOf(shown.divergence) === signature) return shown.generated;
  return undefined;
};

const shrinkFrom = async (
  start: Shrinkable,
  judging: Judging,
  { mostTries }: ShrinkFindingOptions,
  finding: Finding,
  { pause, ...watcher }: ShrinkWatcher,
): Promise<ShrunkFinding> => {
  const judge = async (candidate: Case): Promise<Divergence | undefined> => {
    await pause();
    return await judging.judge(candidate, finding.before);
  };
  try {
    const small = await shrink(start, signatureOf(finding.divergence), judge, { mostTries, ...watcher });
    if (small.kind === 'not-reproduced') return small;
    const shrunk = small.interrupted ? 'partly' : small.tried < mostTries ? 'wholly' : 'to-limit';
    return { kind: 'shrunk', finding: { ...finding, case: small.case, divergence: small.divergence, shrunk } };
  } finally {
    await judging.close();
  }
};

type Stored = Pick<Finding, 'case' | 'before' | 'divergence'>;

export interface RerunWatcher extends Pick<ShrinkWatcher, 'pause'> {
  /** So much time has passed since the first run began that few runs must do. */
  readonly isLate: () => boolean;
}

/** How often the finding's program shows its signature again. */
export const timesShown = async (
  options: JudgeOptions,
  finding: Stored,
  { pause, isLate }: RerunWatcher,
): Promise<Shown> => {
  const judging = judgeOf(options, finding.divergence);
  let [times, runs] = [0, 0];
  try {
    for (; isRunAgain(runs, isLate()); runs++) {
      await pause();
      if (await showsAgain(judging, finding)) times++;
    }
    return { times, runs };
  } finally {
    await judging.close();
  }
};

const showsAgain = async (judging: Judging, { case: found, before, divergence }: Stored): Promise<boolean> => {
  const again = await judging.judge(found, before);
  return again !== undefined && signatureOf(again) === signatureOf(divergence);
};
