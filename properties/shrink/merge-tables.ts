/** Two tables as one: what the second one maps, the first one maps instead, at indexes that it does not use. */

import type { Paddr, Program, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, paddr, pagingSizes, vaddr } from '../../model/vocabulary/index.js';
import { isPresent, pageOf } from '../entry-bits.js';
import { rolesOf, rootOf } from './rewrite.js';
import type { Pass } from './search.js';
import type { AddressStep, Level, Store } from './table-places.js';
import { LEVELS, firstUnused, indexOf, indexesAt, isAddressStep, isStoredAt, mapped } from './table-places.js';

export const mergeRoots: Pass = function* (smallest) {
  const [first, ...others] = new Set(
    smallest().steps.flatMap((step) => (step.op === 'new-pgtable' ? [step.root] : [])),
  );
  for (const other of others) {
    const merged = withRootsMerged(smallest(), first, other);
    if (merged !== undefined) yield merged;
  }
};

const withRootsMerged = (program: Program, into: Paddr, from: Paddr): Program | undefined => {
  const { entryBytes, rootEntries } = pagingSizes(program.machine.paging);
  const [level] = LEVELS[program.machine.paging] as [Level];
  const moves = freshIndexes(program, level, {
    from: { start: from, entries: rootEntries },
    into: { start: into, entries: rootEntries },
  });
  if (moves === undefined) return undefined;
  const merged = mapped(program.steps, (step, root) => {
    if (step.op === 'store') return { ...step, paddr: movedWord(step.paddr, from, into, moves, entryBytes) };
    if (root !== from) return step;
    const renamedStep = rootOf(step) === undefined ? step : ({ ...step, root: into } as Step);
    if (renamedStep.op === 'set-pgd')
      return { ...renamedStep, index: moves.get(renamedStep.index) ?? renamedStep.index };
    return isAddressStep(renamedStep) ? withIndex(renamedStep, level, moves) : renamedStep;
  });
  return { machine: program.machine, steps: withoutSwitches(merged, into) };
};

export const mergeTables: Pass = function* (smallest) {
  for (const [depth, level] of LEVELS[smallest().machine.paging].slice(0, -1).entries()) {
    const [first, ...others] = indexesAt(smallest(), level);
    for (const other of others) {
      const merged = withTablesMerged(smallest(), depth, first, other);
      if (merged !== undefined) yield merged;
    }
  }
};

/** The tables that entries of a level link at two indexes; undefined unless these are two. */
const withTablesMerged = (program: Program, depth: number, into: number, from: number): Program | undefined => {
  const { entryBytes } = pagingSizes(program.machine.paging);
  const [level, below] = LEVELS[program.machine.paging].slice(depth) as [Level, Level];
  const roles = rolesOf(program);
  const isLink = (step: Step, index: number): step is Store => isStoredAt(step, { level, index }, program, roles);
  const tableAt = (index: number): number | undefined => {
    const pages = new Set(
      program.steps.flatMap((step) => (isLink(step, index) && isPresent(step.value) ? [pageOf(step.value)] : [])),
    );
    return pages.size === 1 ? [...pages][0] * PAGE_BYTES : undefined;
  };
  const [kept, other] = [tableAt(into), tableAt(from)];
  if (kept === undefined || other === undefined || kept === other) return undefined;
  const { entries } = below;
  const moves = freshIndexes(program, below, { from: { start: other, entries }, into: { start: kept, entries } });
  if (moves === undefined) return undefined;
  const left = program.steps.filter((step) => !isLink(step, from));
  const steps = mapped(left, (step) => {
    if (step.op === 'store') return { ...step, paddr: movedWord(step.paddr, other, kept, moves, entryBytes) };
    if (!isAddressStep(step) || indexOf(step.vaddr, level) !== from) return step;
    return withIndex(withIndex(step, below, moves), level, new Map([[from, into]]));
  });
  return { machine: program.machine, steps };
};

interface Table {
  /** Address of its first entry. */
  readonly start: number;
  readonly entries: number;
}

/** For each index that is stored in one table, an index that neither the other one stores nor an address has; undefined if they run out. */
const freshIndexes = (
  program: Program,
  level: Level,
  { from, into }: { readonly from: Table; readonly into: Table },
): ReadonlyMap<number, number> | undefined => {
  const { entryBytes } = pagingSizes(program.machine.paging);
  const indexesIn = ({ start, entries }: Table): number[] =>
    program.steps.flatMap((step) => {
      const index = step.op === 'store' ? (step.paddr - start) / entryBytes : -1;
      return index >= 0 && index < entries ? [index] : [];
    });
  const used = [...indexesIn(into), ...indexesAt(program, level)];
  const moves = new Map<number, number>();
  for (const index of new Set(indexesIn(from))) {
    const free = firstUnused(used, level.entries);
    if (free === undefined) return undefined;
    moves.set(index, free);
    used.push(free);
  }
  return moves;
};

const movedWord = (
  place: Paddr,
  from: number,
  into: number,
  moves: ReadonlyMap<number, number>,
  entryBytes: number,
): Paddr => {
  const index = moves.get((place - from) / entryBytes);
  return index === undefined ? place : paddr(into + index * entryBytes);
};

const withIndex = <Step extends AddressStep>(step: Step, level: Level, moves: ReadonlyMap<number, number>): Step => {
  const index = indexOf(step.vaddr, level);
  const to = moves.get(index) ?? index;
  return { ...step, vaddr: vaddr(step.vaddr + (to - index) * 2 ** level.shift) };
};

/** Without switches to the root that is current anyway. */
const withoutSwitches = (steps: readonly Step[], root: Paddr): readonly Step[] => {
  let current: Paddr | undefined;
  const isNeeded = (step: Step): boolean => {
    if (step.op !== 'new-pgtable') return true;
    const before = current;
    current = step.root;
    return step.root !== root || before !== root;
  };
  return steps.filter(isNeeded);
};
