/**
 * What "smaller" means. A measure is a list of numbers, compared like words in a dictionary:
 *
 *   1. steps;
 *   2. the machine: its pages, CPUs and devices, and how its creation was meddled with;
 *   3. steps in an order that a reader does not expect;
 *   4. kinds of steps, simple ones first;
 *   5. kernel halves that do not begin at the usual address, and pages that serve as two things at once;
 *   6. oddities: bits set in entries, offsets within a page, user or write access where kernel or read would do;
 *   7. pages in an order that a reader does not expect;
 *   8. magnitudes: page numbers, table indexes, and how far an address lies above the border of its part of the address space;
 *   9. draws and stores in an order that a reader does not expect.
 *
 * All of them are whole and none is negative, so there is no endless way down: minimizing ends.
 */

import type { GuestEntry, MachineConfig, Op, Paging, Program, Step } from '../../model/vocabulary/index.js';
import { PAGE_BITS, PAGE_BYTES, pagingSizes } from '../../model/vocabulary/index.js';
import { FLAGS } from '../entry-bits.js';
import { drawInversions, pageInversions, stepInversions, storeInversions } from './order.js';
import { pagesOfSeveralRoles, rolesOf } from './roles.js';

export type Measure = readonly number[];

/** The address at which the kernel half begins by custom. */
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

/** What the steps of a program add up to. */
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

const measureOfMachine = ({ guestPages, devicePages, hostCpus, draw, failAllocation }: MachineConfig): Measure => [
  guestPages + devicePages + hostCpus,
  failAllocation,
  draw,
];

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

/** Root entry 768 of a 2-level root is where the kernel half begins; counting starts anew there, as it does for addresses. */
const USUAL_KERNEL_INDEX = USUAL_KERNEL_ADDRESS / pagingSizes('2-level').rootEntryReach;

export const indexMagnitude = (index: number): number =>
  index >= USUAL_KERNEL_INDEX ? index - USUAL_KERNEL_INDEX + 1 : index;

const bitsSet = (word: number): number => {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
};
