/** What a subject puts into its traces, and the values that readers of both encodings share (formats.md, Hello and Trace). */

import type {
  LeafTarget,
  Observable,
  Observation,
  Outcome,
  ShadowLeaf,
  Slot,
  SwitcherReferences,
  Vaddr,
} from '../../model/vocabulary/index.js';
import { OBSERVABLES, vaddrOf, vpnOf } from '../../model/vocabulary/index.js';
import { formatHex } from './hex.js';

export interface TraceContents {
  readonly observes: readonly Observable[];
  /** How many edges of its own code the subject counts; 0: its traces list none. */
  readonly edges: number;
}

/** What a subject of version 1 shows. */
export const VERSION_ONE: TraceContents = { observes: OBSERVABLES.filter((each) => each !== 'shadow'), edges: 0 };

/** Pages of the shadow are below 2³²−1. */
export const MOST_HOST_PAGE = 2 ** 32 - 2;
/** 1 (writable) and 2 (user). */
export const MOST_RIGHTS = 3;

/** `rights` of its own entry, `upper` of the one above it. */
export const leafOf = (
  slot: Slot,
  vaddr: Vaddr,
  target: LeafTarget,
  page: number,
  rights: number,
  upper: number,
): ShadowLeaf => ({
  slot,
  vaddr,
  target,
  page,
  writable: (rights & 1) !== 0,
  user: (rights & 2) !== 0,
  upperWritable: (upper & 1) !== 0,
  upperUser: (upper & 2) !== 0,
});

export const MISSING_SHADOW = 'missing; a subject that observes the shadow reports it from the start';

/** Up to here it is faster to compare each leaf with all before it than to make a set. */
const FEW_LEAVES = 32;

const areSound = (leaves: readonly ShadowLeaf[]): boolean => {
  for (let index = 0; index < leaves.length; index++) {
    const { slot, vaddr } = leaves[index];
    if (vaddr !== vaddrOf(vpnOf(vaddr))) return false;
    for (let other = 0; other < index; other++) {
      if (leaves[other].slot === slot && leaves[other].vaddr === vaddr) return false;
    }
  }
  return true;
};

/** What is wrong if a leaf begins within a page, or one slot maps one page by two of them, and where; undefined if nothing is. */
export const wrongLeaf = (
  leaves: readonly ShadowLeaf[],
): { readonly index: number; readonly problem: string } | undefined => {
  if (leaves.length <= FEW_LEAVES && areSound(leaves)) return undefined;
  const met = new Set<number>();
  for (const [index, { slot, vaddr }] of leaves.entries()) {
    const page = vpnOf(vaddr);
    if (vaddr !== vaddrOf(page))
      return { index, problem: `${formatHex(vaddr)} lies within a page; give the first address of it` };
    const key = slot * 2 ** 20 + page;
    if (!met.has(key)) met.add(key);
    else
      return { index, problem: `a second leaf for ${formatHex(vaddrOf(page))} in slot ${slot}; report each leaf once` };
  }
  return undefined;
};

/** Every list that is empty, because most are. */
export const NOTHING: readonly never[] = Object.freeze([]);

export const noSwitcher = (hostCpus: number): SwitcherReferences => ({
  text: 0,
  state: Array.from({ length: hostCpus }, () => 0),
  registers: 0,
});

/** For a bare outcome only the outcome is compared, whatever else the subject reported (formats.md, Trace). */
export const bareObservation = (outcome: Outcome, switcher: SwitcherReferences): Observation => ({
  outcome,
  references: NOTHING,
  stores: NOTHING,
  tables: 0,
  switcher,
});
