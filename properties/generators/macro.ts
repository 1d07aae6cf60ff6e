/**
 * What a coherent guest does next, above the level of single steps. A macro is a kind and two random words; what these choose is
 * decided when the macro is lowered to steps, by the state that the guest is in by then. So any list of macros lowers to a coherent
 * program, and dropping or changing a macro never breaks the contract.
 */

import fc from 'fast-check';
import type { MachineConfig } from '../../model/vocabulary/index.js';
import { hasFeature } from '../../model/vocabulary/index.js';
import type { Profile } from '../profile.js';
import type { Mixture } from './case.js';
import type { Draw } from './draw.js';
import { lottery } from './draw.js';

/** Every kind of macro, and how often it is drawn. */
const WEIGHTS = {
  /** Touch an address of the current root. */
  access: 60,
  /** Map a user page, or map it elsewhere; links a table if there is none. */
  map: 9,
  unmap: 2,
  /** Change a user leaf's rights. */
  rights: 2,
  /** Clear a leaf's A and D. */
  age: 3,
  /** Exchange the leaf table of a region, or remove it. */
  'swap-table': 1,
  /** Change the rights of an upper entry. */
  'upper-rights': 1,
  /** Remove a PAE top entry, or put it back. */
  'toggle-top': 1,
  'kernel-map': 3,
  'kernel-unmap': 1,
  /** Exchange the leaf table of a kernel region, for every root. */
  'kernel-table': 1,
  /** Switch to a root, building it first if necessary. */
  switch: 5,
  retire: 1,
  'set-stack': 1,
  'guest-pa': 4,
  migrate: 2,
  'flush-user': 1,
  'flush-all': 1,
  /** Switch roots while the host has no memory. */
  pressure: 1,
  /** Map a large page where a user region's table is or could be, change it, or remove it. */
  'large-page': 2,
  /** The same for a kernel region, for every root. */
  'kernel-large-page': 1,
  /** Map a page outside RAM and touch it. Deadly, so never drawn before the end. */
  blunder: 0,
} as const;

export type MacroKind = keyof typeof WEIGHTS;

export const MACRO_KINDS = Object.keys(WEIGHTS) as readonly MacroKind[];

export interface Macro {
  readonly kind: MacroKind;
  /** Where to act: 32 bits, signed. */
  readonly target: number;
  /** What to do there: 32 bits, signed. */
  readonly choice: number;
}

/** A program's multiple of a weight, by three random bits: a kind is disabled in one program of four. */
const FACTORS: readonly number[] = [0, 0, 1, 1, 1, 1, 2, 3];
/** The same for a switch under pressure, which may kill a guest that has done nothing wrong. */
const PRESSURE_FACTORS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 1];

/** What only the guest of a hypervisor can do: its macros are not of the profile `architecture`. */
const HYPERVISED: readonly MacroKind[] = ['set-stack', 'guest-pa', 'migrate', 'pressure'];

/** What a CPU needs a feature for. */
const LARGE: readonly MacroKind[] = ['large-page', 'kernel-large-page'];

interface WeightedKind {
  readonly kind: MacroKind;
  readonly weight: number;
  readonly factors: readonly number[];
}

/** All kinds but `access`, which every program has. */
const OTHER_KINDS: readonly WeightedKind[] = MACRO_KINDS.filter((kind) => kind !== 'access').map((kind) => ({
  kind,
  weight: WEIGHTS[kind],
  factors: kind === 'pressure' ? PRESSURE_FACTORS : FACTORS,
}));

const without = (kinds: readonly MacroKind[]): readonly WeightedKind[] =>
  OTHER_KINDS.filter(({ kind }) => !kinds.includes(kind));

/** What guests can do without large pages, and with them. Made once, because filtering takes longer than drawing. */
const SMALL_KINDS = { lguest: without(LARGE), architecture: without([...HYPERVISED, ...LARGE]) };
const LARGE_KINDS = { lguest: OTHER_KINDS, architecture: without(HYPERVISED) };

const kindsOf = (profile: Profile, machine: Pick<MachineConfig, 'features'>): readonly WeightedKind[] =>
  (hasFeature(machine, 'large-pages') ? LARGE_KINDS : SMALL_KINDS)[profile];

/** More than half of all tickets. */
const ACCESS_TICKETS = lottery<MacroKind>([[WEIGHTS.access, 'access']]);

/** How many tickets a kind has in a program. */
const ticketsOf = (draw: Draw, mixture: Mixture, { weight, factors }: WeightedKind): number => {
  switch (mixture) {
    case 'swarm':
      return weight * (factors[draw.bits(3)] ?? 0);
    case 'weighted':
      return weight;
    case 'uniform':
      return Math.min(weight, 1);
    default:
      return mixture satisfies never;
  }
};

/** A program's lottery: each kind as many times as it weighs. `access` is never disabled. */
export const drawMacroKinds = (
  draw: Draw,
  mixture: Mixture,
  profile: Profile = 'lguest',
  machine: Pick<MachineConfig, 'features'> = {},
): readonly MacroKind[] => {
  const tickets: MacroKind[] = mixture === 'uniform' ? ['access'] : ACCESS_TICKETS.slice();
  for (const each of kindsOf(profile, machine))
    for (let left = ticketsOf(draw, mixture, each); left > 0; left--) tickets.push(each.kind);
  return tickets;
};

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });

/** Lists of macros, for shrinking. */
export const macroLists: fc.Arbitrary<Macro[]> = fc.array(
  fc.record<Macro>({ kind: fc.constantFrom(...MACRO_KINDS), target: word, choice: word }, { noNullPrototype: true }),
);
