/**
 * What a coherent guest does next, above the level of single steps. A macro is numbers only; what they mean is settled when
 * it is lowered to steps, in the state that the guest is in by then. So any list of macros lowers to a coherent program, and
 * dropping or changing one never breaks the contract.
 */

import fc from 'fast-check';
import type { Draw } from './draw.js';
import type { Mixture } from './mixture.js';

/** Every kind of macro, and how often it is drawn. */
const WEIGHTS = {
  /** Touch an address of the current root. */
  access: 60,
  /** Map a user page, or map it anew elsewhere; a table is linked if there is none. */
  map: 9,
  unmap: 2,
  /** Change a user leaf's rights. */
  rights: 2,
  /** Clear a leaf's A and D. */
  age: 3,
  /** Exchange the leaf table of a region, or take it away. */
  'swap-table': 1,
  /** Change the rights of an upper entry. */
  'upper-rights': 1,
  /** Take a PAE top entry away, or put it back. */
  'toggle-top': 1,
  'kernel-map': 3,
  'kernel-unmap': 1,
  /** Exchange the leaf table of a kernel region, for every root. */
  'kernel-table': 1,
  /** Switch to a root that may have to be built first. */
  switch: 5,
  retire: 1,
  'set-stack': 1,
  'guest-pa': 4,
  migrate: 2,
  'flush-user': 1,
  'flush-all': 1,
  /** Switch roots while the host has no memory. */
  pressure: 1,
  /** Map a page that is none, and touch it. Deadly: at most the last thing that a guest does, and never drawn before. */
  blunder: 0,
} as const;

export type MacroKind = keyof typeof WEIGHTS;

export const MACRO_KINDS = Object.keys(WEIGHTS) as readonly MacroKind[];

export interface Macro {
  readonly kind: MacroKind;
  /** 32 bits each, signed. `where` chooses a root, a region and a slot; `what` chooses what to do there. */
  readonly where: number;
  readonly what: number;
}

/** By three random bits: how a program changes a weight; a kind is off in one program of four. */
const FACTORS: readonly number[] = [0, 0, 1, 1, 1, 1, 2, 3];
/** The same for a switch under pressure, of which a guest may die through no fault of its own. */
const PRESSURE_FACTORS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 1];

const drawFactor = (draw: Draw, kind: MacroKind): number => {
  if (kind === 'access') return 1;
  return (kind === 'pressure' ? PRESSURE_FACTORS : FACTORS)[draw.bits(3)] ?? 0;
};

/** What is never drawn before the end stays out. */
const UNIFORM = MACRO_KINDS.filter((kind) => WEIGHTS[kind] > 0);

/** A program's lottery: each kind as many times as it weighs; access never misses. */
export const drawMacroKinds = (draw: Draw, mixture: Mixture): readonly MacroKind[] => {
  if (mixture === 'uniform') return UNIFORM;
  const tickets: MacroKind[] = [];
  for (const kind of MACRO_KINDS) {
    for (let count = WEIGHTS[kind] * (mixture === 'swarm' ? drawFactor(draw, kind) : 1); count > 0; count--)
      tickets.push(kind);
  }
  return tickets;
};

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });

/** Lists of macros, for shrinking. */
export const macroLists: fc.Arbitrary<Macro[]> = fc.array(
  fc.record<Macro>({ kind: fc.constantFrom(...MACRO_KINDS), where: word, what: word }, { noNullPrototype: true }),
);
