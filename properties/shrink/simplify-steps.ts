/** Simpler values: one step at a time, one entry wherever it occurs, and one step together with dropping another. */

import type { GuestEntry, Paddr, Program, Step, Vaddr } from '../../model/vocabulary/index.js';
import {
  PAGE_BYTES,
  SLOTS,
  ZERO_ENTRY,
  guestEntry,
  paddr,
  pagingSizes,
  sameEntry,
  vaddr,
} from '../../model/vocabulary/index.js';
import { A, FLAGS, FULL, P, RIGHTS, RW, US, entryOnPage } from '../entry-bits.js';
import { USUAL_KERNEL_ADDRESS } from './measure.js';
import {
  mapEntries,
  mapSteps,
  pageOfAddress,
  pagesOfSeveralRoles,
  pagesUsed,
  rolesOf,
  rootOf,
  withStep,
} from './rewrite.js';
import type { Pass } from './search.js';

/** From the end, because fewer steps depend on the last ones. */
export const simplifySteps: Pass = function* (smallest) {
  for (let index = smallest().steps.length - 1; index >= 0; index--) {
    for (const step of simplerSteps(smallest(), index)) {
      if (yield withStep(smallest(), index, step)) break;
    }
  }
};

/** Changes an entry wherever it occurs: if the stored and the announced entry differed, the guest would break the contract. */
export const simplifyEntries: Pass = function* (smallest) {
  for (const entry of entriesUsed(smallest())) {
    for (const simpler of simplerEntries(entry, pagesUsed(smallest()))) {
      if (yield withEntry(smallest(), entry, simpler)) break;
    }
  }
};

const entriesUsed = ({ steps }: Program): GuestEntry[] => {
  const entries = steps.flatMap((step) =>
    step.op === 'store' ? [step.value] : step.op === 'set-pte' ? [step.pte] : [],
  );
  return entries.filter((entry, index) => entries.findIndex((other) => sameEntry(entry, other)) === index);
};

const withEntry = (program: Program, from: GuestEntry, to: GuestEntry): Program =>
  mapSteps(program, (step) => mapEntries(step, (entry) => (sameEntry(entry, from) ? to : entry)));

/** Longer programs have too many pairs. */
const MOST_STEPS = 12;

/**
 * Drops a step that is needed only because another one is more complicated than necessary, and simplifies that one. Rejects candidates in
 * which more pages have two roles: a table that maps itself saves a step but costs the reader more.
 */
export const dropAndSimplify: Pass = function* (smallest) {
  if (smallest().steps.length > MOST_STEPS) return;
  for (let dropped = 0; dropped < smallest().steps.length; dropped++) {
    if (yield* withoutOne(smallest, dropped)) dropped--;
  }
};

function* withoutOne(smallest: () => Program, dropped: number): Generator<Program, boolean, boolean> {
  const { machine, steps } = smallest();
  const rest: Program = { machine, steps: steps.toSpliced(dropped, 1) };
  const roles = pagesOfSeveralRoles(rolesOf(smallest()));
  for (const index of rest.steps.keys()) {
    for (const step of simplerSteps(rest, index)) {
      const candidate = withStep(rest, index, step);
      if (pagesOfSeveralRoles(rolesOf(candidate)) > roles) continue;
      if (yield candidate) return true;
    }
  }
  return false;
}

// Candidates for one step.

/** What the program names elsewhere. */
interface Names {
  readonly roots: readonly Paddr[];
  readonly vaddrs: readonly Vaddr[];
  readonly pages: readonly number[];
  readonly program: Program;
}

/** Candidates for the step at `index`, simplest first. The search rejects those that do not make the program smaller. */
export const simplerSteps = (program: Program, index: number): Step[] => {
  const { steps } = program;
  const step = steps[index];
  const names: Names = {
    roots: distinct([0, ...steps.map(rootOf).filter((root) => root !== undefined)]).map(paddr),
    vaddrs: distinct(steps.flatMap((each) => ('vaddr' in each ? [each.vaddr] : []))),
    pages: distinct([0, ...pagesUsed(program)]),
    program,
  };
  return [...otherKinds(step), ...smallerValues(step, names)];
};

const distinct = <Value extends number>(values: readonly Value[]): Value[] =>
  [...new Set(values)].sort((one, other) => one - other);

/** Steps of a simpler kind with part of the effect. */
const otherKinds = (step: Step): Step[] => {
  switch (step.op) {
    case 'set-stack':
      return [{ op: 'access', vaddr: vaddr(step.esp - 1), kind: 'write', mode: 'kernel' }];
    case 'guest-pa':
      return [{ op: 'access', vaddr: step.vaddr, kind: 'read', mode: 'kernel' }];
    case 'set-pte':
    case 'set-pgd':
    case 'set-pmd':
      return [{ op: 'flush-tlb', scope: 'all' }];
    default:
      return [];
  }
};

const smallerValues = (step: Step, names: Names): Step[] => {
  switch (step.op) {
    case 'store':
      return [
        ...simplerEntries(step.value, names.pages).map((value) => ({ ...step, value })),
        ...wordPlaces(step.paddr, names).map((place) => ({ ...step, paddr: place })),
      ];
    case 'init':
      return kernelAddresses(step.kernelAddress).map((kernelAddress) => ({ ...step, kernelAddress }));
    case 'new-pgtable':
      return [
        ...[0, step.draw % SLOTS, 1, 2].map((draw) => ({ ...step, draw })),
        ...names.roots.map((root) => ({ ...step, root })),
      ];
    case 'flush-tlb':
      return [{ ...step, scope: 'all' }];
    case 'set-stack':
      return [
        ...[0, 1, 2, 3].map((pages) => ({ ...step, pages })),
        ...stackPointers(step.esp, names).map((esp) => ({ ...step, esp })),
      ];
    case 'set-pmd':
      return [
        { ...step, pmd: paddr(0) },
        { ...step, pmd: paddr(step.pmd & -PAGE_BYTES) },
        { ...step, index: 0 },
      ];
    case 'set-pte':
      return [
        ...simplerEntries(step.pte, names.pages).map((pte) => ({ ...step, pte })),
        ...addresses(step.vaddr, names).map((address) => ({ ...step, vaddr: address })),
        ...names.roots.map((root) => ({ ...step, root })),
      ];
    case 'set-pgd':
      return [
        ...rootIndexes(step.index, names).map((index) => ({ ...step, index })),
        ...names.roots.map((root) => ({ ...step, root })),
      ];
    case 'access':
      return [
        { ...step, kind: 'read' },
        { ...step, mode: 'kernel' },
        ...addresses(step.vaddr, names).map((address) => ({ ...step, vaddr: address })),
      ];
    case 'guest-pa':
      return addresses(step.vaddr, names).map((address) => ({ ...step, vaddr: address }));
    case 'migrate':
      return [0, 1].map((cpu) => ({ ...step, cpu }));
    case 'fail-alloc':
      return [0, 1, 2, 3].map((count) => ({ ...step, count }));
    case 'protect':
      return [
        ...names.pages.map((page) => ({ ...step, page })),
        ...(['write', 'none'] as const).map((access) => ({ ...step, access })),
      ];
    default:
      return step satisfies never;
  }
};

/** The same index in another page, or the first word of this one. */
const wordPlaces = (place: Paddr, { pages }: Names): Paddr[] => {
  const offset = place % PAGE_BYTES;
  return [...pages.map((page) => paddr(page * PAGE_BYTES + offset)), paddr(place - offset)];
};

const addresses = (address: Vaddr, { vaddrs, program }: Names): Vaddr[] => {
  const { switcherAddress } = pagingSizes(program.machine.paging);
  const aligned = pageOfAddress(address) * PAGE_BYTES;
  const outside = program.machine.guestPages * PAGE_BYTES;
  const offset = address % PAGE_BYTES;
  const usual = [0, PAGE_BYTES, outside, USUAL_KERNEL_ADDRESS, switcherAddress];
  return [...usual, aligned, ...vaddrs, ...usual.map((each) => each + offset)].map(vaddr);
};

/** The usual address, pages above the start of either half, and the address rounded down. */
const kernelAddresses = (address: Vaddr): Vaddr[] =>
  [
    USUAL_KERNEL_ADDRESS,
    ...[0, USUAL_KERNEL_ADDRESS].flatMap((half) => [half, half + PAGE_BYTES, half + 2 * PAGE_BYTES]),
    ...[30, 22, 21, 12].map((bits) => address - (address % 2 ** bits)),
  ].map(vaddr);

const stackPointers = (esp: Vaddr, { vaddrs, program }: Names): Vaddr[] => {
  const { switcherAddress } = pagingSizes(program.machine.paging);
  const bottoms = [0, PAGE_BYTES, ...vaddrs.map((address) => address - (address % PAGE_BYTES)), USUAL_KERNEL_ADDRESS];
  const aligned = Math.ceil(esp / PAGE_BYTES) * PAGE_BYTES;
  return [0, ...bottoms.map((bottom) => bottom + PAGE_BYTES), aligned, switcherAddress].map(vaddr);
};

const rootIndexes = (index: number, { program }: Names): number[] => {
  const { rootEntries, rootEntryReach } = pagingSizes(program.machine.paging);
  return [0, USUAL_KERNEL_ADDRESS / rootEntryReach, rootEntries - 1, rootEntries].filter((each) => each !== index);
};

// Candidates for one entry: zero, then flags that a reader recognizes, then one bit fewer.

/** Flags that a reader recognizes, fewest bits first. */
const USUAL_FLAGS = [0, P, P | RW, P | US, P | A, RIGHTS, P | RW | A, P | US | A, RIGHTS | A, FULL & ~US, FULL];

/** `pages`: those that the program names anyway. The search rejects candidates that are not smaller. */
export const simplerEntries = (entry: GuestEntry, pages: readonly number[]): GuestEntry[] => [
  ZERO_ENTRY,
  ...highHalves(entry).map((high) => guestEntry(entry.low, high)),
  ...lowFlags(entry).map((flags) => guestEntry((entry.low & ~FLAGS) | flags, entry.high)),
  ...pages.map((page) => entryOnPage(entry, page)),
];

const lowFlags = ({ low }: GuestEntry): number[] => {
  const flags = low & FLAGS;
  return [...USUAL_FLAGS, ...bitsOf(flags).map((bit) => flags & ~bit)];
};

/** No high bits, one of them, or all but one. */
const highHalves = ({ high }: GuestEntry): number[] => {
  if (high === 0) return [];
  const bits = bitsOf(high);
  return [0, ...bits, ...bits.map((bit) => (high & ~bit) >>> 0)];
};

const bitsOf = (word: number): number[] => {
  const bits: number[] = [];
  for (let bit = 0; bit < 32; bit++) if ((word & (1 << bit)) !== 0) bits.push((1 << bit) >>> 0);
  return bits;
};
