/** One program of a campaign, and all that it shows. */

import fc from 'fast-check';
import type { Case, ProgramOptions } from './generators/index.js';
import { programArbitrary } from './generators/index.js';
import { keepsContract } from './contract.js';
import type { Divergence } from './divergence.js';
import { signatureOf } from './divergence.js';
import type { Pair, RunOptions } from './pair.js';
import { Breeder } from './pool/offspring.js';
import type { Guidance } from './pool/program-pool.js';
import { programSeed, randomFor } from './seeds.js';

/** How often a program is taken up again behind a divergence. */
const MOST_ROUNDS = 16;

/** Of so many programs one is run a second time, for the invariant `determinism`. */
const TWICE_EVERY = 256;

/**
 * Whether program `index` is run a second time. It is scattered, and the same however many shards there are: of every 256th
 * program all would belong to shard 0 of 2, and the other one could never be exercised. The first program is one of them.
 */
export const isRunTwice = (index: number): boolean => scattered(index) % TWICE_EVERY === 0;

/** 32 bits of which each depends on all lower 32 of the index (the finalizer of MurmurHash3). */
const scattered = (index: number): number => {
  const once = Math.imul(index ^ (index >>> 16), 0x85ebca6b);
  const again = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (again ^ (again >>> 16)) >>> 0;
};

/** A case, and what fast-check remembers of it for shrinking. */
export type Generated = fc.Value<Case>;

export interface CampaignOptions extends ProgramOptions {
  /** Left out: no program is made from a pool. */
  readonly guidance?: Guidance | undefined;
}

/** The programs of a campaign by their number: a pure function of its name and the options, the pool among them. */
export const programsOf = (campaign: string, options: CampaignOptions): ((index: number) => Generated) => {
  const arbitrary = programArbitrary(options);
  const own = (index: number): Generated => arbitrary.generate(randomFor(programSeed(campaign, index)), undefined);
  if (options.guidance === undefined) return own;
  const breeder = new Breeder(options.guidance, options);
  if (breeder.isIdle) return own;
  return (index) => {
    const bred = breeder.breed(randomFor(programSeed(`${campaign}/guided`, index)));
    return bred === undefined ? own(index) : new fc.Value<Case>(bred, undefined);
  };
};

/** What a program showed. */
export interface Shown {
  readonly signature: string;
  readonly divergence: Divergence;
  /** The program as it was when it diverged, perhaps without steps that had diverged before. */
  readonly found: Generated;
}

/** How program `index` of a campaign is run. */
export const runOptionsOf = (index: number, { traffic }: Case): RunOptions => ({
  contractKept: traffic === 'coherent',
  twice: isRunTwice(index),
});

/**
 * Runs a program, and answers each signature that it shows once; behind each divergence it goes on without the step that
 * diverged, for there may be others.
 */
export async function* showings(pair: Pair, index: number, generated: Generated): AsyncGenerator<Shown, void> {
  let found = generated;
  const signatures = new Set<string>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const divergence = await pair.run(found.value.program, runOptionsOf(index, found.value));
    if (divergence === undefined) return;
    const signature = signatureOf(divergence);
    if (!signatures.has(signature)) yield { signature, divergence, found };
    signatures.add(signature);
    const { place } = divergence;
    if (place.kind !== 'step') return;
    found = withoutStep(found.value, place.index);
  }
}

/** A guest that no longer keeps its contract is a hostile one. */
const withoutStep = ({ traffic, program }: Case, index: number): Generated => {
  const shorter = { machine: program.machine, steps: program.steps.toSpliced(index, 1) };
  const kept = traffic === 'coherent' && keepsContract(shorter);
  return new fc.Value<Case>({ traffic: kept ? 'coherent' : 'hostile', program: shorter }, undefined);
};
