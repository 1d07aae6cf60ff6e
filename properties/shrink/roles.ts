/**
 * Which guest pages a program uses as what, read off its stores alone: from the roots that it names down to the pages that
 * leaves map. It looks at all stores at once, whatever their order, because it serves to rename things everywhere at once.
 */

import type { Program, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, pagingSizes } from '../../model/vocabulary/index.js';
import { isPresent, pageOf } from '../entry-bits.js';

export interface Roles {
  /** Addresses of roots. */
  readonly roots: ReadonlySet<number>;
  /** By distance from the root: pages of tables that root entries name, and (PAE) that middle entries name. */
  readonly tables: readonly ReadonlySet<number>[];
  /** Pages that leaves map. */
  readonly data: ReadonlySet<number>;
}

export const pageOfAddress = (address: number): number => Math.floor(address / PAGE_BYTES);

/** The root that a step names, if its kind does. */
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

/** How many pages serve as more than one of: root, table of some depth, data. A reader stumbles over each. */
export const pagesOfSeveralRoles = ({ roots, tables, data }: Roles): number => {
  const groups = [new Set([...roots].map(pageOfAddress)), ...tables, data];
  const all = groups.flatMap((group) => [...group]);
  return all.length - new Set(all).size;
};
