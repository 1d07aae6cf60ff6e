/**
 * Lower names. A page, a root or a table index is renamed wherever it occurs, so that tables stay linked and every address still finds its
 * entries.
 */

import type { GuestEntry, Paddr, Paging, Program, Step, Vaddr } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, paddr, pagingSizes, sameEntry, vaddr } from '../../model/vocabulary/index.js';
import { entryOnPage, pageOf } from '../entry-bits.js';
import { USUAL_KERNEL_ADDRESS } from './measure.js';
import type { Level } from './table-places.js';
import { LEVELS, indexIn, indexOf } from './table-places.js';
import type { Roles } from './rewrite.js';
import { mapEntries, mapSteps, mapVaddrs, pageOfAddress, pagesUsed, rolesOf, rootOf } from './rewrite.js';
import type { Pass } from './search.js';

// Pages.

type Renaming = (page: number) => number;

export const renamePages: Pass = function* (smallest) {
  for (const page of pagesUsed(smallest()).reverse()) {
    for (const other of betterPages(page, smallest())) {
      const move: Renaming = (each) => (each === page ? other : each);
      const merged = renamed(smallest(), move);
      if (yield withoutRepeats(merged)) break;
      if (yield merged) break;
      if (yield withAddresses(smallest(), move)) break;
    }
  }
};

/** Exchanges two pages: the one that is named more often should have the lower number. */
export const swapPages: Pass = function* (smallest) {
  const pages = pagesUsed(smallest());
  for (const [index, page] of pages.entries()) {
    for (const other of pages.slice(index + 1)) {
      const swap: Renaming = (each) => (each === page ? other : each === other ? page : each);
      yield renamed(smallest(), swap);
    }
  }
};

/** PAE: moves each root within its page, to the start or just behind it. */
export const moveRoots: Pass = function* (smallest) {
  const { machine, steps } = smallest();
  if (machine.paging === '2-level') return;
  const roots = [...new Set(steps.map(rootOf).filter((root) => root !== undefined))];
  for (const root of roots) {
    const page = root - (root % PAGE_BYTES);
    for (const place of [page, page + 32, page + 64]) if (yield withRootAt(smallest(), root, place)) break;
  }
};

/** Free pages, then used ones, which merges two pages. For a page outside RAM, first the lowest pages there. */
const betterPages = (page: number, program: Program): number[] => {
  const { guestPages, devicePages } = program.machine;
  const used = pagesUsed(program);
  const free = [0, 1, 2, 3, 4, 5].filter((each) => !used.includes(each)).slice(0, 2);
  const outside = page < guestPages ? [] : [guestPages, guestPages + devicePages];
  return [...outside, ...free, ...used].filter((each) => each < page);
};

/** Pages that became one are often stored the same way: without stores of what a word was stored before. */
export const withoutRepeats = ({ machine, steps }: Program): Program => {
  const words = new Map<number, GuestEntry>();
  const isNews = (step: Step): boolean => {
    if (step.op !== 'store') return true;
    const before = words.get(step.paddr);
    words.set(step.paddr, step.value);
    return before === undefined || !sameEntry(before, step.value);
  };
  return { machine, steps: steps.filter(isNews) };
};

/** The program with every page renamed. */
export const renamed = (program: Program, rename: Renaming): Program =>
  mapSteps(program, (step) => renamedStep(step, rename));

/** Renames in virtual addresses too: in linear mode these are addresses in RAM. */
const withAddresses = (program: Program, rename: Renaming): Program => {
  const move = (address: Vaddr): Vaddr => vaddr(renamedAddress(address, rename));
  return mapSteps(renamed(program, rename), (step) => mapVaddrs(step, move));
};

const renamedStep = (step: Step, rename: Renaming): Step => {
  const moved = mapEntries(step, (entry) => entryOnPage(entry, rename(pageOf(entry))));
  switch (moved.op) {
    case 'store':
      return { ...moved, paddr: renamedAddress(moved.paddr, rename) };
    case 'set-pte':
    case 'new-pgtable':
    case 'set-pgd':
      return { ...moved, root: renamedAddress(moved.root, rename) };
    case 'set-pmd':
      return { ...moved, pmd: renamedAddress(moved.pmd, rename) };
    case 'protect':
      return { ...moved, page: rename(moved.page) };
    default:
      return moved;
  }
};

const renamedAddress = (address: number, rename: Renaming): Paddr =>
  paddr(rename(pageOfAddress(address)) * PAGE_BYTES + (address % PAGE_BYTES));

/** Bytes of a PAE root. */
const ROOT_BYTES = 32;

const withRootAt = (program: Program, root: number, place: number): Program =>
  mapSteps(program, (step) => {
    if (step.op === 'store') {
      const inside = step.paddr >= root && step.paddr < root + ROOT_BYTES;
      return inside ? { ...step, paddr: paddr(step.paddr - root + place) } : step;
    }
    return rootOf(step) === root ? ({ ...step, root: paddr(place) } as Step) : step;
  });

// Table indexes: in addresses, in the places of stores and in announcements.

interface Move {
  readonly level: Level;
  readonly from: number;
  readonly to: number;
  /** Also move the kernel half's border and the stack pointer. */
  readonly borders: boolean;
}

export const moveIndexes: Pass = function* (smallest) {
  for (const level of LEVELS[smallest().machine.paging]) {
    for (const from of indexesUsed(smallest(), level)) {
      for (const to of lowIndexes(level)) {
        if (to === from) continue;
        if (yield withIndexMoved(smallest(), { level, from, to, borders: false })) break;
        if (yield withIndexMoved(smallest(), { level, from, to, borders: true })) break;
      }
    }
  }
};

/** The lowest indexes of either half. */
const lowIndexes = ({ shift, depth, entries }: Level): number[] => {
  const kernel = depth === 0 ? USUAL_KERNEL_ADDRESS / 2 ** shift : 0;
  return [...new Set([0, 1, 2, 3, kernel, kernel + 1])].filter((index) => index < entries);
};

const indexesUsed = (program: Program, level: Level): number[] => {
  const used = new Set<number>();
  for (const step of program.steps) {
    if ('vaddr' in step) used.add(indexOf(step.vaddr, level));
    if (step.op === 'init') used.add(indexOf(step.kernelAddress, level));
    if (step.op === 'set-stack') used.add(indexOf(step.esp - 1, level));
    if (step.op === 'set-pgd' && level.depth === 0) used.add(step.index);
  }
  return [...used].sort((one, other) => other - one);
};

const withIndexMoved = (program: Program, move: Move): Program => {
  const roles = rolesOf(program);
  return mapSteps(program, (step) => movedStep(step, move, program.machine.paging, roles));
};

const movedStep = (step: Step, move: Move, paging: Paging, roles: Roles): Step => {
  const { level, from, to, borders } = move;
  switch (step.op) {
    case 'store':
      return movedStore(step, move, paging, roles);
    case 'set-pgd':
      return level.depth === 0 && step.index === from ? { ...step, index: to } : step;
    case 'set-pmd':
      return paging === 'pae' && level.depth === 1 && step.index === from ? { ...step, index: to } : step;
    case 'init':
      return borders ? { ...step, kernelAddress: movedAddress(step.kernelAddress, move) } : step;
    case 'set-stack':
      // The topmost byte of the stack lies right below its pointer.
      return borders ? { ...step, esp: vaddr(movedAddress(vaddr(step.esp - 1), move) + 1) } : step;
    default:
      return mapVaddrs(step, (address) => movedAddress(address, move));
  }
};

const movedAddress = (address: Vaddr, { level, from, to }: Move): Vaddr =>
  indexOf(address, level) === from ? vaddr(address + (to - from) * 2 ** level.shift) : address;

const movedStore = (
  step: Extract<Step, { op: 'store' }>,
  { level, from, to }: Move,
  paging: Paging,
  roles: Roles,
): Step => {
  const { entryBytes } = pagingSizes(paging);
  if (indexIn(step, level, paging, roles) !== from) return step;
  return { ...step, paddr: paddr(step.paddr + (to - from) * entryBytes) };
};
