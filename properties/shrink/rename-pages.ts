/** Lower guest pages: a page is renamed wherever it occurs, so that tables stay linked as they are. */

import type { Paddr, Program, Step, Vaddr } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, paddr, vaddr } from '../../model/vocabulary/index.js';
import { entryOnPage, pageOf } from '../entry-bits.js';
import { mapEntries, mapSteps, mapVaddrs } from './rewrite.js';
import { pageOfAddress, rootOf } from './roles.js';
import type { Pass } from './search.js';

type Renaming = (page: number) => number;

export const renamePages: Pass = function* (smallest) {
  for (const page of pagesUsed(smallest()).reverse()) {
    for (const other of placesFor(page, smallest())) {
      const move: Renaming = (each) => (each === page ? other : each);
      if (yield renamed(smallest(), move)) break;
      if (yield withAddresses(smallest(), move)) break;
    }
  }
};

/** Two pages exchanged: the one that is named more often is better off with the lower number. */
export const swapPages: Pass = function* (smallest) {
  const pages = pagesUsed(smallest());
  for (const [index, page] of pages.entries()) {
    for (const other of pages.slice(index + 1)) {
      const swap: Renaming = (each) => (each === page ? other : each === other ? page : each);
      yield renamed(smallest(), swap);
    }
  }
};

/** PAE: roots within a page, each moved to where it begins or to another place that is free. */
export const moveRoots: Pass = function* (smallest) {
  const { machine, steps } = smallest();
  if (machine.paging === '2-level') return;
  const roots = [...new Set(steps.map(rootOf).filter((root) => root !== undefined))];
  for (const root of roots) {
    const page = root - (root % PAGE_BYTES);
    for (const place of [page, page + 32, page + 64]) if (yield withRootAt(smallest(), root, place)) break;
  }
};

/** All pages that a program names, ascending; an address names none. */
export const pagesUsed = ({ steps }: Program): number[] => {
  const pages = new Set(steps.flatMap(pagesOf));
  return [...pages].sort((one, other) => one - other);
};

const pagesOf = (step: Step): number[] => {
  switch (step.op) {
    case 'store':
      return [pageOfAddress(step.paddr), pageOf(step.value)];
    case 'set-pte':
      return [pageOfAddress(step.root), pageOf(step.pte)];
    case 'new-pgtable':
    case 'set-pgd':
      return [pageOfAddress(step.root)];
    case 'set-pmd':
      return [pageOfAddress(step.pmd)];
    case 'protect':
      return [step.page];
    default:
      return [];
  }
};

/** Pages that nobody uses, then pages that somebody does: those merge two pages. Outside RAM the first page there will do. */
const placesFor = (page: number, program: Program): number[] => {
  const { guestPages, devicePages } = program.machine;
  const used = pagesUsed(program);
  const free = [0, 1, 2, 3, 4, 5].filter((each) => !used.includes(each)).slice(0, 2);
  const outside = page < guestPages ? [] : [guestPages, guestPages + devicePages];
  return [...outside, ...free, ...used].filter((each) => each < page);
};

/** Every page by its new name. */
export const renamed = (program: Program, rename: Renaming): Program =>
  mapSteps(program, (step) => renamedStep(step, rename));

/** In linear mode an address is a page of RAM, too. */
const withAddresses = (program: Program, rename: Renaming): Program => {
  const move = (address: Vaddr): Vaddr => vaddr(movedAddress(address, rename));
  return mapSteps(renamed(program, rename), (step) => mapVaddrs(step, move));
};

const renamedStep = (step: Step, rename: Renaming): Step => {
  const moved = mapEntries(step, (entry) => entryOnPage(entry, rename(pageOf(entry))));
  switch (moved.op) {
    case 'store':
      return { ...moved, paddr: movedAddress(moved.paddr, rename) };
    case 'set-pte':
    case 'new-pgtable':
    case 'set-pgd':
      return { ...moved, root: movedAddress(moved.root, rename) };
    case 'set-pmd':
      return { ...moved, pmd: movedAddress(moved.pmd, rename) };
    case 'protect':
      return { ...moved, page: rename(moved.page) };
    default:
      return moved;
  }
};

const movedAddress = (address: number, rename: Renaming): Paddr =>
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
