/** The programs of a campaign by their number, how each of them is run, and all that it shows. */

import fc from 'fast-check';
import type { Divergence } from '../divergence.js';
import { SCREEN_DISAGREES, isSubjectFailure, signatureOf } from '../divergence.js';
import type { Case, ProgramOptions } from '../generators/index.js';
import { withoutStep } from '../generators/case.js';
import { programArbitrary } from '../generators/index.js';
import type { Asked, Pair, RunOptions } from '../pair.js';
import type { Profile } from '../profile.js';
import { programSeed, randomFor } from '../seeds.js';
import { whyOutside } from '../subjects/scope.js';
import type { ProgramRange } from './batches.js';

export interface CampaignOptions extends ProgramOptions {
  /** Name of the campaign: with a program's number it fixes the program. */
  readonly campaign: string;
  /** The share of programs that are judged in full, 0 … 1; left out: all. The others are screened. */
  readonly judge?: number | undefined;
}

/** A case, and what fast-check remembers of it for shrinking. */
export type Generated = fc.Value<Case>;

/** A program's number to the program: a pure function of the options. */
export const programsOf = (options: CampaignOptions): ((program: number) => Generated) => {
  const arbitrary = programArbitrary(options);
  return (program) => arbitrary.generate(randomFor(programSeed(options.campaign, program)), undefined);
};

/** A program whose turn comes, and what sides outside this process were asked. */
export interface Upcoming {
  readonly program: number;
  readonly generated: Generated;
  readonly asked: Asked;
}

/** The programs of a range in order, but for those to skip: generated and asked for up to `ahead` programs before they are needed. */
export function* upcoming(
  { first, stride, count, skipped }: ProgramRange & { readonly skipped: ReadonlySet<number> },
  generate: (program: number) => Generated,
  pair: Pair,
  ahead: number,
): Generator<Upcoming, undefined> {
  const waiting: Upcoming[] = [];
  for (let place = 0; place < count; place++) {
    const program = first + place * stride;
    if (skipped.has(program)) continue;
    const generated = generate(program);
    waiting.push({ program, generated, asked: pair.ask(generated.value.program) });
    if (waiting.length > ahead) yield waiting.shift()!;
  }
  yield* waiting;
  return undefined;
}

/** One in this many programs is run a second time, for the invariant `determinism`. */
const TWICE_EVERY = 256;

/**
 * Whether a program is run a second time. The choice is scattered: if it were every 256th program, shard 0 of 2 would have them all
 * and shard 1 could never exercise `determinism`. Program 0 is one of them.
 */
export const isRunTwice = (program: number): boolean => scattered(program) % TWICE_EVERY === 0;

/** Shares of programs are whole multiples of one in this many. */
const SHARE_STEPS = TWICE_EVERY;

/** Whether a program is judged in full: scattered too, and so that programs which are run twice are judged whatever the share. */
export const isJudged = (program: number, share: number): boolean =>
  scattered(program) % SHARE_STEPS < share * SHARE_STEPS;

/** 32 bits of which each depends on all lower 32 of the number (the finalizer of MurmurHash3). */
const scattered = (program: number): number => {
  const once = Math.imul(program ^ (program >>> 16), 0x85ebca6b);
  const again = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (again ^ (again >>> 16)) >>> 0;
};

/** How a program of a campaign is run. `judge`: the share of programs that are judged in full. */
export const runOptionsOf = (program: number, { traffic }: Case, judge = 1): RunOptions => ({
  contractKept: traffic === 'coherent',
  // A CPU may answer a racy guest otherwise than the reference, and otherwise the second time.
  twice: traffic !== 'racy' && isRunTwice(program),
  screened: traffic !== 'racy' && !isJudged(program, judge),
});

/**
 * Runs the programs of a campaign from the first one until one diverges, whose divergence it returns, or until `proceed`, which is
 * asked before each with the number of programs already run, returns false.
 */
export const runUntilDivergence = async (
  options: CampaignOptions,
  pair: Pair,
  proceed: (programs: number) => boolean | Promise<boolean>,
): Promise<{ readonly programs: number; readonly divergence: Divergence | undefined }> => {
  const programs = programsOf(options);
  for (let program = 0; ; program++) {
    if (!(await proceed(program))) return { programs: program, divergence: undefined };
    const { value } = programs(program);
    const divergence = await pair.run(value.program, runOptionsOf(program, value, options.judge));
    if (divergence !== undefined) return { programs: program + 1, divergence };
  }
};

/** How often a program is resumed after a divergence. */
const MOST_ROUNDS = 16;

/**
 * Runs a program and yields its first divergence of each signature, with the program that showed it. After a divergence it runs the
 * program without the step that diverged, for there may be others; not if what is left belongs to the profile no longer. `invariant`:
 * the one that the program is known to break. If that is `SCREEN_DISAGREES`, it is screened again, because only screening sees it.
 */
export async function* divergencesOf(
  pair: Pair,
  program: number,
  generated: Generated,
  invariant: string,
  profile: Profile = 'lguest',
): AsyncGenerator<{ readonly generated: Generated; readonly divergence: Divergence }, void> {
  const judge = invariant === SCREEN_DISAGREES ? 0 : 1;
  let current = generated;
  const signatures = new Set<string>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const divergence = await pair.run(current.value.program, runOptionsOf(program, current.value, judge));
    if (divergence === undefined) return;
    const signature = signatureOf(divergence);
    if (!signatures.has(signature)) yield { generated: current, divergence };
    signatures.add(signature);
    const { place } = divergence;
    // A machine that fails at one step may fail at all that follow, and each may take its whole time limit.
    if (place.kind !== 'step' || isSubjectFailure(divergence.invariant)) return;
    const shorter = withoutStep(current.value, place.index, profile);
    if (whyOutside(shorter.program, profile) !== undefined) return;
    current = new fc.Value<Case>(shorter, undefined);
  }
}
