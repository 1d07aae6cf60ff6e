/**
 * Programs as a whole: the pages that they name, what each page serves as, and changes that are made everywhere at once.
 */

import type { GuestEntry, MachineConfig, Program, Step, Vaddr } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, pagingSizes } from '../../model/vocabulary/index.js';
import { isPresent, pageOf } from '../entry-bits.js';

// Changes.

export const withMachine = ({ machine, steps }: Program, change: Partial<MachineConfig>): Program => ({
  machine: { ...machine, ...change },
  steps,
});

export const withStep = ({ machine, steps }: Program, index: number, step: Step): Program => ({
  machine,
  steps: steps.with(index, step),
});

export const mapSteps = ({ machine, steps }: Program, change: (step: Step) => Step): Program => ({
  machine,
  steps: steps.map(change),
});

/** Changes every entry that is stored or announced. */
export const mapEntries = (step: Step, change: (entry: GuestEntry) => GuestEntry): Step => {
  if (step.op === 'store') return { ...step, value: change(step.value) };
  return step.op === 'set-pte' ? { ...step, pte: change(step.pte) } : step;
};

/** Changes every virtual address except those of `init` and `set-stack`, which are borders. */
export const mapVaddrs = (step: Step, change: (address: Vaddr) => Vaddr): Step =>
  step.op === 'access' || step.op === 'guest-pa' || step.op === 'set-pte'
    ? { ...step, vaddr: change(step.vaddr) }
    : step;

// Roles: which guest pages a program uses as what, from the roots that it names down to the pages that leaves map. Only stores count, and
// all of them at once, whatever their order, because a page is renamed everywhere at once.

export interface Roles {
  /** Addresses of roots. */
  readonly roots: ReadonlySet<number>;
  /** Table pages by level: those that root entries name, and (PAE) those that middle entries name. */
  readonly tables: readonly ReadonlySet<number>[];
  /** Pages that leaves map. */
  readonly data: ReadonlySet<number>;
}

export const pageOfAddress = (address: number): number => Math.floor(address / PAGE_BYTES);

/** The root that a step names, if any. */
export const rootOf = (step: Step): number | undefined =>
  step.op === 'new-pgtable' || step.op === 'set-pte' || step.op === 'set-pgd' ? step.root : undefined;

type Store = Extract<Step, { op: 'store' }>;

export const rolesOf = ({ machine, steps }: Program): Roles => {
  const { rootEntries, entryBytes, tableLevels } = pagingSizes(machine.paging);
  const stores = steps.filter((step) => step.op === 'store');
  const roots = new Set(steps.map(rootOf).filter((root) => root !== undefined));
  const rootBytes = rootEntries * entryBytes;
  const inRoot = ({ paddr }: Store): boolean => roots.has(paddr - (paddr % rootBytes));
  const tables: Set<number>[] = [pagesNamed(stores.filter(inRoot))];
  while (tables.length < tableLevels) tables.push(pagesNamed(storesInto(tables.at(-1)!, stores)));
  const leaves = storesInto(tables.at(-1)!, stores);
  return { roots, tables, data: pagesNamed(leaves) };
};

const storesInto = (pages: ReadonlySet<number>, stores: readonly Store[]): Store[] =>
  stores.filter(({ paddr }) => pages.has(pageOfAddress(paddr)));

const pagesNamed = (stores: readonly Store[]): Set<number> =>
  new Set(stores.filter(({ value }) => isPresent(value)).map(({ value }) => pageOf(value)));

/** How many pages have a second role among root, table of some level, and data. Each is a trap for the reader. */
export const pagesOfSeveralRoles = ({ roots, tables, data }: Roles): number => {
  const groups = [new Set([...roots].map(pageOfAddress)), ...tables, data];
  const all = groups.flatMap((group) => [...group]);
  return all.length - new Set(all).size;
};

/** All guest pages that a program names, ascending. Virtual addresses name none. */
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
