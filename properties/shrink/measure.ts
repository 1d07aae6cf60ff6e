/**
 * What "smaller" means. A measure is a list of numbers, compared lexicographically:
 *
 *   1. steps;
 *   2. the machine: its pages, CPUs, devices and features, the failing allocation of its creation, and its draw;
 *   3. steps out of the usual order;
 *   4. how much the kinds of steps ask of the reader;
 *   5. kernel halves that do not begin at the usual address, and pages with two roles;
 *   6. oddities: bits set in entries, offsets within a page, user or write access where kernel or read would do;
 *   7. pages out of the usual order;
 *   8. magnitudes: page numbers, table indexes, and how far an address lies above the border of its part of the address space;
 *   9. draws and stores out of the usual order.
 *
 * All are whole numbers and none is negative, so shrinking terminates.
 */

import type { GuestEntry, MachineConfig, Op, Paging, Program, Step } from '../../model/vocabulary/index.js';
import { PAGE_BITS, PAGE_BYTES, SLOTS, pagingSizes } from '../../model/vocabulary/index.js';
import { FLAGS } from '../entry-bits.js';
import type { Roles } from './rewrite.js';
import { pageOfAddress, pagesOfSeveralRoles, rolesOf } from './rewrite.js';

export type Measure = readonly number[];

/** Where the kernel half begins by convention. */
export const USUAL_KERNEL_ADDRESS = 0xc0000000;

/** How much a reader must know to follow a step. */
const OP_RANK: Readonly<Record<Op, number>> = {
  store: 0,
  init: 0,
  access: 0,
  'new-pgtable': 1,
  'flush-tlb': 1,
  'guest-pa': 1,
  migrate: 1,
  protect: 1,
  'fail-alloc': 1,
  'set-pte': 2,
  'set-pgd': 2,
  'set-stack': 3,
  'set-pmd': 3,
};

/** Sums over the steps of a program. */
interface Sum {
  unusual: number;
  ranks: number;
  oddity: number;
  magnitude: number;
}

export const measureOf = (program: Program): Measure => {
  const { machine, steps } = program;
  const roles = rolesOf(program);
  const sum: Sum = { unusual: pagesOfSeveralRoles(roles), ranks: 0, oddity: 0, magnitude: 0 };
  for (const step of steps) {
    sum.ranks += OP_RANK[step.op];
    addStep(sum, step, machine.paging);
  }
  return [
    steps.length,
    ...measureOfMachine(machine),
    stepInversions(steps),
    sum.ranks,
    sum.unusual,
    sum.oddity,
    pageInversions(roles),
    sum.magnitude,
    drawInversions(program) + storeInversions(steps),
  ];
};

const measureOfMachine = ({
  guestPages,
  devicePages,
  hostCpus,
  draw,
  failAllocation,
  features = [],
}: MachineConfig): Measure => [guestPages + devicePages + hostCpus + features.length, failAllocation, draw];

export const isSmaller = (one: Measure, other: Measure): boolean => {
  const index = one.findIndex((value, place) => value !== other[place]);
  return index >= 0 && one[index] < other[index];
};

const addStep = (sum: Sum, step: Step, paging: Paging): void => {
  switch (step.op) {
    case 'store':
      addEntry(sum, step.value);
      return addTablePlace(sum, step.paddr, pagingSizes(paging).entryBytes);
    case 'init':
      if (step.kernelAddress !== USUAL_KERNEL_ADDRESS) sum.unusual++;
      return addVaddr(sum, step.kernelAddress, paging);
    case 'new-pgtable':
      sum.magnitude += step.draw;
      return addRoot(sum, step.root);
    case 'flush-tlb':
      sum.oddity += step.scope === 'all' ? 0 : 1;
      return;
    case 'set-stack':
      sum.magnitude += step.pages;
      return addVaddr(sum, step.esp, paging);
    case 'set-pmd':
      sum.magnitude += step.index;
      return addRoot(sum, step.pmd);
    case 'set-pte':
      addEntry(sum, step.pte);
      addVaddr(sum, step.vaddr, paging);
      return addRoot(sum, step.root);
    case 'set-pgd':
      sum.magnitude += indexMagnitude(step.index);
      return addRoot(sum, step.root);
    case 'access':
      sum.oddity += (step.kind === 'read' ? 0 : 1) + (step.mode === 'kernel' ? 0 : 1);
      return addVaddr(sum, step.vaddr, paging);
    case 'guest-pa':
      return addVaddr(sum, step.vaddr, paging);
    case 'migrate':
      sum.magnitude += step.cpu;
      return;
    case 'fail-alloc':
      sum.magnitude += step.count;
      return;
    case 'protect':
      sum.oddity += step.access === 'write' ? 0 : step.access === 'none' ? 1 : 2;
      sum.magnitude += step.page;
      return;
    default:
      return step satisfies never;
  }
};

const addEntry = (sum: Sum, { low, high }: GuestEntry): void => {
  sum.oddity += bitsSet(low & FLAGS) + bitsSet(high);
  sum.magnitude += (low >>> PAGE_BITS) + high;
};

const addTablePlace = (sum: Sum, address: number, entryBytes: number): void => {
  sum.magnitude += Math.floor(address / PAGE_BYTES) + indexMagnitude((address % PAGE_BYTES) / entryBytes);
};

const addRoot = (sum: Sum, address: number): void => {
  sum.oddity += address % PAGE_BYTES === 0 ? 0 : 1;
  sum.magnitude += address;
};

const addVaddr = (sum: Sum, address: number, paging: Paging): void => {
  const { switcherAddress } = pagingSizes(paging);
  const border =
    address >= switcherAddress ? switcherAddress : address >= USUAL_KERNEL_ADDRESS ? USUAL_KERNEL_ADDRESS : 0;
  sum.oddity += (border === 0 ? 0 : 1) + (address % PAGE_BYTES === 0 ? 0 : 1);
  sum.magnitude += address - border;
};

/** The kernel half's first entry in a 2-level root, 768. Its entries count from there, as its addresses do. */
const USUAL_KERNEL_INDEX = USUAL_KERNEL_ADDRESS / pagingSizes('2-level').rootEntryReach;

export const indexMagnitude = (index: number): number =>
  index >= USUAL_KERNEL_INDEX ? index - USUAL_KERNEL_INDEX + 1 : index;

const bitsSet = (word: number): number => {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
};

// Order: `init`, then the tables, then what is done with them; lower pages nearer to the root; stores by address. It is counted in
// inversions: how many pairs stand the wrong way round.

/** Pairs of steps out of order: `init` should come first, and stores before other steps. */
export const stepInversions = (steps: readonly Step[]): number => {
  let inversions = 0;
  let acts = 0;
  for (const [index, step] of steps.entries()) {
    if (step.op === 'init') inversions += index;
    else if (step.op === 'store') inversions += acts;
    else acts++;
  }
  return inversions;
};

/** Pairs of stores, within uninterrupted runs of stores, that are not in order of their addresses. */
export const storeInversions = (steps: readonly Step[]): number => {
  let inversions = 0;
  for (const run of storeRuns(steps)) inversions += inversionsOf(run.map(({ paddr }) => paddr));
  return inversions;
};

type Store = Extract<Step, { op: 'store' }>;

const storeRuns = (steps: readonly Step[]): Store[][] => {
  const runs: Store[][] = [[]];
  for (const step of steps) {
    if (step.op === 'store') runs.at(-1)!.push(step);
    else if (runs.at(-1)!.length > 0) runs.push([]);
  }
  return runs;
};

/** Pages from the root down: roots, tables by level, data. */
export const pagesByRole = ({ roots, tables, data }: Roles): number[] => {
  const roles = [[...roots].map(pageOfAddress), ...tables.map((pages) => [...pages]), [...data]];
  return [...new Set(roles.flat())];
};

export const pageInversions = (roles: Roles): number => inversionsOf(pagesByRole(roles));

/** Pairs of draws of which the first is larger. */
export const drawInversions = ({ steps }: Program): number =>
  inversionsOf(steps.flatMap((step) => (step.op === 'new-pgtable' ? [step.draw % SLOTS] : [])));

const inversionsOf = (values: readonly number[]): number => {
  let inversions = 0;
  for (let later = 1; later < values.length; later++) {
    for (let earlier = 0; earlier < later; earlier++) if (values[earlier] > values[later]) inversions++;
  }
  return inversions;
};
