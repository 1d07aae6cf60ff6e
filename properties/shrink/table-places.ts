/** Where entries lie: levels of tables, indexes in them, and which steps store or name which. */

import type { Paddr, Paging, Program, Step, Vaddr } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, pagingSizes } from '../../model/vocabulary/index.js';
import type { Roles } from './rewrite.js';
import { pageOfAddress, rootOf } from './rewrite.js';

/** A part of an address, and the level of tables that it indexes. */
export interface Level {
  /** 0: the root. */
  readonly depth: number;
  readonly shift: number;
  readonly entries: number;
}

/** From the root down. */
export const LEVELS: Readonly<Record<Paging, readonly Level[]>> = {
  '2-level': [
    { depth: 0, shift: 22, entries: 1024 },
    { depth: 1, shift: 12, entries: 1024 },
  ],
  pae: [
    { depth: 0, shift: 30, entries: 4 },
    { depth: 1, shift: 21, entries: 512 },
    { depth: 2, shift: 12, entries: 512 },
  ],
};

export const indexOf = (address: number, { shift, entries }: Level): number => (address >>> shift) & (entries - 1);

/** The index of a stored entry in its table; undefined if that is no table of the level. */
export const indexIn = (
  { paddr: place }: Store,
  { depth }: Level,
  paging: Paging,
  { roots, tables }: Roles,
): number | undefined => {
  const { entryBytes, rootEntries } = pagingSizes(paging);
  const start = place - (place % (depth === 0 ? rootEntries * entryBytes : PAGE_BYTES));
  const isTable = depth === 0 ? roots.has(start) : tables[depth - 1].has(pageOfAddress(start));
  return isTable ? (place - start) / entryBytes : undefined;
};

/** An entry's place: its index in the tables of a level. */
export interface Place {
  readonly level: Level;
  readonly index: number;
}

/** A step that stores an entry, and one that names a virtual address. */
export type Store = Extract<Step, { op: 'store' }>;
export type AddressStep = Extract<Step, { vaddr: Vaddr }>;

/** Stores an entry in that place of any table. */
export const isStoredAt = (step: Step, { level, index }: Place, { machine }: Program, roles: Roles): step is Store =>
  step.op === 'store' && indexIn(step, level, machine.paging, roles) === index;

export const isAddressStep = (step: Step): step is AddressStep => 'vaddr' in step;

/** Names an address that an entry in one of these places translates. */
export const isAt = ({ vaddr: address }: AddressStep, places: readonly Place[]): boolean =>
  places.some(({ level, index }) => indexOf(address, level) === index);

/** The indexes of the addresses that a program names, ascending. */
export const indexesAt = ({ steps }: Program, level: Level): number[] =>
  [...new Set(steps.filter(isAddressStep).map((step) => indexOf(step.vaddr, level)))].sort((one, other) => one - other);

/** By step, the root that it names, or that of the current slot. */
export const rootsAt = (steps: readonly Step[]): readonly (Paddr | undefined)[] => {
  let current: Paddr | undefined;
  return steps.map((step) => {
    if (step.op === 'new-pgtable') current = step.root;
    return (rootOf(step) as Paddr | undefined) ?? current;
  });
};

/** Every step changed. `root`: as in `rootsAt`. */
export const mapped = (
  steps: readonly Step[],
  change: (step: Step, root: Paddr | undefined, index: number) => Step,
): readonly Step[] => {
  const roots = rootsAt(steps);
  return steps.map((step, index) => change(step, roots[index], index));
};

export const firstUnused = (used: readonly number[], limit: number): number | undefined =>
  [...Array(limit).keys()].find((each) => !used.includes(each));
