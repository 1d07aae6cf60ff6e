/**
 * Lower table indexes: an index of one level is exchanged for another wherever it occurs, in addresses, in the places of
 * stores and in announcements, so that every address still finds its entries.
 */

import type { Paging, Program, Step, Vaddr } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, paddr, pagingSizes, vaddr } from '../../model/vocabulary/index.js';
import { USUAL_KERNEL_ADDRESS } from './measure.js';
import { mapSteps, mapVaddrs } from './rewrite.js';
import type { Roles } from './roles.js';
import { pageOfAddress, rolesOf } from './roles.js';
import type { Pass } from './search.js';

/** One part of an address: which table it indexes. */
interface Level {
  /** 0: the root. */
  readonly depth: number;
  readonly shift: number;
  readonly entries: number;
}

const LEVELS: Readonly<Record<Paging, readonly Level[]>> = {
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

interface Move {
  readonly level: Level;
  readonly from: number;
  readonly to: number;
  /** The kernel half's border and the stack pointer move, too. */
  readonly borders: boolean;
}

export const moveIndexes: Pass = function* (smallest) {
  for (const level of LEVELS[smallest().machine.paging]) {
    for (const from of indexesUsed(smallest(), level)) {
      for (const to of placesFor(level)) {
        if (to === from) continue;
        if (yield moved(smallest(), { level, from, to, borders: false })) break;
        if (yield moved(smallest(), { level, from, to, borders: true })) break;
      }
    }
  }
};

/** The lowest of either half. */
const placesFor = ({ shift, depth, entries }: Level): number[] => {
  const kernel = depth === 0 ? USUAL_KERNEL_ADDRESS / 2 ** shift : 0;
  return [...new Set([0, 1, 2, 3, kernel, kernel + 1])].filter((index) => index < entries);
};

const indexOf = (address: number, { shift, entries }: Level): number => (address >>> shift) & (entries - 1);

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

const moved = (program: Program, move: Move): Program => {
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
      // The first byte of the stack lies right below its pointer.
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
  { roots, tables }: Roles,
): Step => {
  const { entryBytes, rootEntries } = pagingSizes(paging);
  const table = level.depth === 0 ? step.paddr - (step.paddr % (rootEntries * entryBytes)) : pageOfAddress(step.paddr);
  const inLevel = level.depth === 0 ? roots.has(table) : tables[level.depth - 1].has(table);
  const start = level.depth === 0 ? table : table * PAGE_BYTES;
  if (!inLevel || (step.paddr - start) / entryBytes !== from) return step;
  return { ...step, paddr: paddr(start + to * entryBytes) };
};
