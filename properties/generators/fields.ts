/**
 * What the fields of steps and machines may hold (formats.md, Program). The check of a program, the arbitraries that shrink it and the
 * neighbours of a value all come from this one description, so a new field needs a line here and nothing else.
 */

import type { Feature, MachineConfig, Op, Step } from '../../model/vocabulary/index.js';
import {
  FEATURES,
  MACHINE_BOUNDS,
  MOST_STACK_PAGES,
  PAGE_BYTES,
  PAGINGS,
  hasFeature,
  pagingSizes,
  switcherRegistersAddress,
} from '../../model/vocabulary/index.js';

export type Field = WordField | WordsField | NumberField | EntryField;

/** One of a few words. */
export interface WordField {
  readonly kind: 'word';
  readonly words: readonly string[];
  /** Words that need a feature of the machine. */
  readonly featured?: Readonly<Record<string, Feature>>;
}

/** Some of a few words, in their order; left out: none. */
export interface WordsField {
  readonly kind: 'words';
  readonly words: readonly string[];
}

/** A whole number. Its limits depend on the machine. */
export interface NumberField {
  readonly kind: 'number';
  readonly least: number;
  readonly most: (machine: MachineConfig) => number;
  /** The number is a multiple of this. */
  readonly unit: (machine: MachineConfig) => number;
  /** Values at which the hypervisor's behaviour changes. */
  readonly borders: (machine: MachineConfig) => readonly number[];
}

/** A page-table entry: any bits, as many as the paging mode has. */
export interface EntryField {
  readonly kind: 'entry';
}

const U32_MOST = 0xffffffff;

const word = (...words: readonly string[]): WordField => ({ kind: 'word', words });

const number = (limits: Partial<NumberField>): NumberField => ({
  kind: 'number',
  least: 0,
  most: () => U32_MOST,
  unit: () => 1,
  borders: () => [0],
  ...limits,
});

const ENTRY: EntryField = { kind: 'entry' };

const ramBytes = ({ guestPages }: MachineConfig): number => guestPages * PAGE_BYTES;

const physicalBorders = (machine: MachineConfig): readonly number[] => [
  0,
  ramBytes(machine),
  ramBytes(machine) + machine.devicePages * PAGE_BYTES,
];

const WORD_IN_RAM = number({
  most: (machine) => ramBytes(machine) - pagingSizes(machine.paging).entryBytes,
  unit: ({ paging }) => pagingSizes(paging).entryBytes,
});

const PADDR = number({ borders: physicalBorders });

const ROOT = number({
  most: ({ paging }) => 2 ** 32 - pagingSizes(paging).rootAlignment,
  unit: ({ paging }) => pagingSizes(paging).rootAlignment,
  borders: physicalBorders,
});

const VADDR = number({
  borders: ({ paging, hostCpus }) => {
    const { rootEntryReach, leafTableReach, switcherAddress } = pagingSizes(paging);
    const registers = switcherRegistersAddress(paging, hostCpus - 1);
    return [0, PAGE_BYTES, leafTableReach, rootEntryReach, 2 ** 31, switcherAddress, registers];
  },
});

const DRAW = number({});

const bounded = ({ least, most }: { readonly least: number; readonly most: number }): NumberField =>
  number({ least, most: () => most, borders: () => [least, most] });

/** The fields of each kind of step besides `op`, in the order in which they are written. */
export const STEP_FIELDS = {
  store: { paddr: WORD_IN_RAM, value: ENTRY },
  init: { kernelAddress: VADDR },
  'new-pgtable': { root: ROOT, draw: DRAW },
  'flush-tlb': { scope: word('all', 'user') },
  'set-stack': { esp: VADDR, pages: number({ borders: () => [0, MOST_STACK_PAGES] }) },
  'set-pmd': { pmd: PADDR, index: number({ borders: ({ paging }) => [pagingSizes(paging).tableEntries] }) },
  'set-pte': { root: ROOT, vaddr: VADDR, pte: ENTRY },
  'set-pgd': { root: ROOT, index: number({ borders: ({ paging }) => [pagingSizes(paging).rootEntries] }) },
  access: {
    vaddr: VADDR,
    kind: { ...word('read', 'write', 'execute'), featured: { execute: 'no-execute' } },
    mode: word('kernel', 'user'),
  },
  'guest-pa': { vaddr: VADDR },
  migrate: { cpu: number({ most: ({ hostCpus }) => hostCpus - 1, borders: ({ hostCpus }) => [0, hostCpus - 1] }) },
  'fail-alloc': { count: number({}) },
  protect: {
    page: number({ most: ({ guestPages }) => guestPages - 1, borders: ({ guestPages }) => [0, guestPages - 1] }),
    access: word('write', 'read', 'none'),
  },
} satisfies { readonly [Name in Op]: Readonly<Record<Exclude<keyof (Step & { op: Name }), 'op'>, Field>> };

export const MACHINE_FIELDS = {
  paging: word(...PAGINGS),
  guestPages: bounded(MACHINE_BOUNDS.guestPages),
  devicePages: bounded(MACHINE_BOUNDS.devicePages),
  hostCpus: bounded(MACHINE_BOUNDS.hostCpus),
  draw: DRAW,
  failAllocation: number({}),
  features: { kind: 'words', words: FEATURES },
} satisfies { readonly [Name in keyof Required<MachineConfig>]: Field };

/** The words that a field may hold on this machine. */
export const wordsOf = ({ words, featured }: WordField, machine: MachineConfig): readonly string[] =>
  featured === undefined ? words : words.filter((each) => isPossible(each, featured, machine));

const isPossible = (each: string, featured: NonNullable<WordField['featured']>, machine: MachineConfig): boolean =>
  !Object.hasOwn(featured, each) || hasFeature(machine, featured[each]);

/** Whether a number field may hold this value on this machine. */
export const holds = (field: NumberField, value: unknown, machine: MachineConfig): value is number =>
  typeof value === 'number' &&
  Number.isInteger(value) &&
  value >= field.least &&
  value <= field.most(machine) &&
  value % field.unit(machine) === 0;
