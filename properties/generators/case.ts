/** What a generator makes, and how it mixes what it makes. */

import type { Op, Program } from '../../model/vocabulary/index.js';
import { keepsContract } from '../contract.js';
import type { Profile } from '../profile.js';
import type { Draw } from './draw.js';

/** The kinds of guest (machine.md 5, and 6 for the racy ones of the profile `architecture`). */
export const TRAFFICS = ['hostile', 'coherent', 'racy'] as const;
/** Those of the profile `lguest`. */
export const LGUEST_TRAFFICS = ['hostile', 'coherent'] as const;
export type Traffic = (typeof TRAFFICS)[number];

/** Without these no coherent guest is made. */
export const COHERENT_STEPS: readonly Op[] = [
  'store',
  'init',
  'new-pgtable',
  'flush-tlb',
  'set-pte',
  'set-pgd',
  'access',
];

/** A program and the kind of its guest: a coherent one keeps the contract of machine.md 5; a racy one may not. */
export interface Case {
  readonly traffic: Traffic;
  readonly program: Program;
}

/** A case with fewer steps. A guest that no longer keeps its contract is a hostile one, or a racy one in the profile `architecture`. */
export const withoutStep = ({ traffic, program }: Case, index: number, profile: Profile): Case => {
  const shorter = { machine: program.machine, steps: program.steps.toSpliced(index, 1) };
  if (traffic === 'coherent' && keepsContract(shorter)) return { traffic, program: shorter };
  return { traffic: profile === 'architecture' ? 'racy' : 'hostile', program: shorter };
};

/**
 * How often a program does what. `swarm`: each program draws its own weights and disables some kinds altogether. The other two are the
 * baselines for measuring that: `weighted` gives every kind its usual weight in every program, `uniform` the same weight to all kinds.
 */
export type Mixture = 'swarm' | 'weighted' | 'uniform';

/** The longest of most programs, in steps: short programs find most bugs soonest. */
export const USUAL_STEPS = 160;

/** A program with room for hundreds of repetitions, so that counters of eight bits wrap. */
export const isLong = (mostSteps: number): boolean => mostSteps > USUAL_STEPS;

/** How often a thing is repeated in a program of at most so many steps: past where a counter of four or eight bits wraps. */
export const drawRepetitions = (draw: Draw, mostSteps: number): number =>
  (isLong(mostSteps) ? 256 : 16) + draw.below(8);
