/** Dimensions that the situations of several invariants share. */

import type { Op, Slot } from '../../../model/vocabulary/index.js';
import { PAGE_BYTES, SLOTS, hasFeature } from '../../../model/vocabulary/index.js';
import { A, D, G, P, RW } from '../../entry-bits.js';
import { uncachedWalk } from '../../uncached-walk.js';
import type { Moment } from '../moment.js';
import type { Cell, Dimension } from './grid.js';
import { ANSWERS, FACT } from './pre-state.js';

const bit = (condition: boolean): number => (condition ? 1 : 0);

/** Steps that pin the stack. An `init` does not: it comes before any `set-stack`. */
export const PINNERS = ['new-pgtable', 'flush-tlb', 'set-stack', 'set-pmd'] as const satisfies readonly Op[];

/** Steps that may write leaves of the shadow, and so take or drop references. */
export const MAPPERS = ['init', ...PINNERS, 'set-pte', 'set-pgd', 'access'] as const satisfies readonly Op[];

/** Why a cell of step and paging cannot be reached, if it cannot: in 2-level paging the call kills. */
export const setPmdNeedsPae = ({ step, paging }: Cell): string | undefined =>
  step === 'set-pmd' && paging === '2-level' ? 'the call is for PAE' : undefined;

export const PAGING: Dimension = { name: 'paging', values: ['2-level', 'PAE'], fact: FACT.paging };

export const ADDRESSING: Dimension = { name: 'addressing', values: ['linear', 'tables'], fact: FACT.addressing };

/** Before the step. */
export const LIFE: Dimension = { name: 'life', values: ['linear', 'tables', 'over'], fact: FACT.life };

export const GUEST: Dimension = { name: 'guest', values: ['hostile', 'coherent'], fact: FACT.guest };

export const SHADOW: Dimension = { name: 'shadow', values: ['as it was', 'changed'], fact: FACT.shadow };

export const TABLES: Dimension = { name: 'tables', values: ['fewer', 'as many', 'more'], fact: FACT.tables };

export const ACCESS: Dimension = {
  name: 'access',
  values: ['user read', 'user write', 'kernel read', 'kernel write'],
  fact: FACT.access,
};

/** `access`: its outcome, and which right was refused. */
export const ANSWER: Dimension = { name: 'answer', values: ANSWERS, fact: FACT.answer };

/** Which feature of its CPU shows in an access; of several the first. */
export const FEATURE_SHOWN: Dimension = {
  name: 'feature',
  values: [
    'none',
    'reserved bits',
    'fetch refused',
    'fetch',
    'kernel write without RW',
    'large global page',
    'large page',
    'global page',
  ],
  of: ({ step, guest, subjectKind }) => {
    if (step?.op !== 'access') return 0;
    const walk = uncachedWalk(guest, step.vaddr);
    if (walk.kind === 'reserved') return 1;
    if (step.kind === 'execute') return walk.kind === 'leaf' && !walk.executable ? 2 : 3;
    if (walk.kind !== 'leaf' || subjectKind !== 'mapped') return 0;
    if (step.kind === 'write' && !walk.writable) return 4;
    const isGlobal = (walk.entry.low & G) !== 0 && hasFeature(guest.config, 'global-pages');
    if (walk.bytes > PAGE_BYTES) return isGlobal ? 5 : 6;
    return isGlobal ? 7 : 0;
  },
};

/** Why an access cannot have an answer. */
export const answerUnreachable = ({ access, addressing, answer: given }: Cell): string | undefined => {
  const read = access.endsWith('read');
  const kernel = access.startsWith('kernel');
  if (read && (given === 'write refused' || given === 'both refused')) return 'a read needs no right to write';
  if (kernel && (given === 'user refused' || given === 'both refused')) return 'the kernel needs no right of the user';
  if (addressing !== 'linear') return undefined;
  if (given === 'not present') return 'every address maps to itself';
  if (given === 'write refused' || given === 'both refused') return 'every page is writable';
  if (!kernel && (given === 'hit' || given === 'filled')) return 'no page is the user’s';
  if (!kernel && (given === 'device' || given === 'killed')) return 'the user is refused first';
  return undefined;
};

/** `set-pte`: the half that its address is in. */
export const HALF: Dimension = {
  name: 'half',
  values: ['user', 'kernel'],
  of: ({ step, guest }) => bit(step?.op === 'set-pte' && step.vaddr >= guest.kernelAddress),
};

/** `set-pte`: the announced entry, by what the hypervisor makes of it. */
export const ENTRY: Dimension = {
  name: 'entry',
  values: ['not present', 'not accessed', 'read-only', 'clean', 'writable'],
  of: ({ step }) => {
    const low = step?.op === 'set-pte' ? step.pte.low : 0;
    if ((low & P) === 0) return 0;
    if ((low & A) === 0) return 1;
    if ((low & RW) === 0) return 2;
    return (low & D) === 0 ? 3 : 4;
  },
};

/** `set-pte`: slots that mapped the address, `from` or more. */
export const holdersFrom = (from: number): Dimension => ({
  name: 'slots that mapped it',
  values: ['0', '1', '2', '3', '4'].slice(from),
  of: ({ preState }) => Math.max(preState.holders - from, 0),
});

/** Slots with a root page, at least one. */
export const SLOTS_IN_USE: Dimension = {
  name: 'slots in use',
  values: ['1', '2', '3', '4'],
  of: ({ shadow }) => {
    let used = 0;
    for (let slot = 0; slot < SLOTS; slot++) if (shadow?.hasRoot(slot as Slot) === true) used++;
    return Math.max(used - 1, 0);
  },
};

/** The rights of the leaf at an address, as the CPU sees them. */
export const rightsAt = (address: (moment: Moment) => number): Dimension => ({
  name: 'leaf',
  values: ['read-only, supervisor', 'writable, supervisor', 'read-only, user', 'writable, user'],
  of: (moment) => {
    const { shadow } = moment;
    const leaf = shadow?.leafAt(slotOf(moment), address(moment) as never);
    return leaf === undefined ? 0 : bit(leaf.writable && leaf.upperWritable) + 2 * bit(leaf.user && leaf.upperUser);
  },
});

/** Where a step installs its leaf: a `set-pte` in the slot that shadows its root, all others in the current slot. */
const slotOf = ({ step, preState, shadow }: Moment): Slot =>
  (step?.op === 'set-pte' ? preState.rootSlot : undefined) ?? shadow?.currentSlot ?? (0 as Slot);
