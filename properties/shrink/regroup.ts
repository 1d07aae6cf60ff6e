/**
 * The same number of mappings with fewer tables. A bug that counts to n needs n leaves, and any will do: each candidate here lacks a store
 * or a switch, and reaches what was mapped there at other addresses.
 */

import type { GuestEntry, Paddr, Program, Step, Vaddr } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, guestEntry, paddr, pagingSizes, vaddr } from '../../model/vocabulary/index.js';
import { A, D } from '../entry-bits.js';
import { mergeRoots, mergeTables } from './merge-tables.js';
import { renamed, withoutRepeats } from './rename.js';
import type { Roles } from './rewrite.js';
import { pageOfAddress, pagesUsed, rolesOf } from './rewrite.js';
import type { Pass } from './search.js';
import type { AddressStep, Level, Place, Store } from './table-places.js';
import {
  LEVELS,
  firstUnused,
  indexOf,
  indexesAt,
  isAddressStep,
  isAt,
  isStoredAt,
  mapped,
  rootsAt,
} from './table-places.js';

/** Fewer roots, and fewer entries at each level of the tables. */
export const regroup: Pass = function* (smallest) {
  yield* asOnePage(smallest);
  yield* mergeRoots(smallest);
  yield* mergeTables(smallest);
  for (const level of LEVELS[smallest().machine.paging]) {
    for (const index of indexesAt(smallest(), level).toReversed()) {
      for (const candidate of candidatesWithout(smallest(), { level, index }))
        if (candidate !== undefined && (yield candidate)) break;
    }
  }
};

/** A table that is its own data, and perhaps its own root. */
const asOnePage: Pass = function* (smallest) {
  for (const page of pagesUsed(smallest())) {
    const roots = new Set([...rolesOf(smallest()).roots].map(pageOfAddress));
    yield withoutRepeats(renamed(smallest(), () => page));
    yield withoutRepeats(renamed(smallest(), (each) => (roots.has(each) ? each : page)));
  }
};

function* candidatesWithout(program: Program, place: Place): Generator<Program | undefined, void, unknown> {
  // In a table that maps itself, an entry belongs to several levels.
  const places = LEVELS[program.machine.paging].map((level) => ({ ...place, level }));
  for (const how of ['accessed', 'announced'] as const) {
    yield withoutPlaces(program, [place], how);
    yield withoutPlaces(program, places, how);
  }
  yield* tradesFor(program, place);
}

/** One entry more at another level may save two here. */
function* tradesFor(program: Program, { level, index }: Place): Generator<Program | undefined, void, unknown> {
  const second = indexesAt(program, level).findLast((each) => each < index);
  if (second === undefined) return;
  const places = [index, second].map((each) => ({ level, index: each }));
  for (const other of LEVELS[program.machine.paging]) {
    const used = indexesAt(program, other);
    const fresh = firstUnused(used, other.entries);
    if (other === level || fresh === undefined) continue;
    const copied = withCopies(program, other, used[0], fresh);
    yield withoutPlaces(copied, places, 'accessed', { level: other, index: fresh });
  }
}

/** Each entry at index `from` of the level is stored at index `to` as well. */
const withCopies = (program: Program, level: Level, from: number, to: number): Program => {
  const { machine, steps } = program;
  const roles = rolesOf(program);
  const { entryBytes } = pagingSizes(machine.paging);
  return {
    machine,
    steps: steps.flatMap((step): Step[] =>
      isStoredAt(step, { level, index: from }, program, roles)
        ? [step, { ...step, paddr: paddr(step.paddr + (to - from) * entryBytes) }]
        : [step],
    ),
  };
};

/**
 * The program without the entries in these places. What was reached through them is reached through others, `extra` included, and where no
 * address is left, on another root or, `announced`, by a `set-pte`, whose leaf need not be stored. Undefined if that cannot be.
 */
const withoutPlaces = (
  program: Program,
  places: readonly Place[],
  how: 'accessed' | 'announced',
  extra?: Place,
): Program | undefined => {
  const { machine, steps } = program;
  const roles = rolesOf(program);
  const left = steps.filter((step) => !places.some((each) => isStoredAt(step, each, program, roles)));
  if (left.length === steps.length) return undefined;
  const addresses = new FreeAddresses({ machine, steps: left }, places, extra);
  const displaced: number[] = [];
  const placed = mapped(left, (step, root, index) => {
    if (!isAddressStep(step) || !isAt(step, places)) return step;
    const address = addresses.take(root, step.op === 'set-pte' ? 'announced' : 'accessed');
    if (address === undefined) displaced.push(index);
    return address === undefined ? step : { ...step, vaddr: address };
  });
  const leafOf = (step: AddressStep): GuestEntry | undefined => storedLeaf(program, step, roles);
  const settled =
    how === 'accessed' ? onOtherRoots(placed, displaced, addresses) : announced(placed, displaced, addresses, leafOf);
  return settled && { machine, steps: settled };
};

/** The steps at these indexes come after a switch to a root under which an address is free. */
const onOtherRoots = (
  steps: readonly Step[],
  displaced: readonly number[],
  addresses: FreeAddresses,
): readonly Step[] | undefined => {
  const switches = steps.filter((step) => step.op === 'new-pgtable');
  const arrivals = new Map<Step, Step[]>();
  for (const index of displaced) {
    const place = switches.find(({ root }) => addresses.has(root));
    if (place === undefined) return undefined;
    const moved = { ...steps[index], vaddr: addresses.take(place.root, 'accessed')! } as Step;
    arrivals.set(place, [...(arrivals.get(place) ?? []), moved]);
  }
  return steps.flatMap((step, index) => (displaced.includes(index) ? [] : [step, ...(arrivals.get(step) ?? [])]));
};

/** The steps at these indexes become announcements. The last step, which may be the one that diverges, takes another's address instead. */
const announced = (
  steps: readonly Step[],
  displaced: readonly number[],
  addresses: FreeAddresses,
  leafOf: (step: AddressStep) => GuestEntry | undefined,
): readonly Step[] | undefined => {
  const changed = [...steps];
  const roots = rootsAt(steps);
  for (const index of displaced) {
    const donor =
      index < steps.length - 1
        ? index
        : changed.findLastIndex((step, each) => step.op === 'access' && !displaced.includes(each));
    const [step, given, root] = [changed[index], changed[donor], roots[donor]];
    if (step.op !== 'access' || given?.op !== 'access' || root === undefined) return undefined;
    const [address, leaf] = [addresses.take(root, 'announced'), leafOf(given)];
    if (address === undefined || leaf === undefined) return undefined;
    if (donor !== index) changed[index] = { ...step, vaddr: given.vaddr };
    const pte = guestEntry(leaf.low | A | (given.kind === 'write' ? D : 0), leaf.high);
    changed[donor] = { op: 'set-pte', root, vaddr: address, pte };
  }
  return changed;
};

/** A leaf that is stored for an address; which table it lies in does not matter here. */
const storedLeaf = (program: Program, { vaddr: address }: AddressStep, roles: Roles): GuestEntry | undefined => {
  const level = LEVELS[program.machine.paging].at(-1)!;
  const place = { level, index: indexOf(address, level) };
  const stored = program.steps.find((step): step is Store => isStoredAt(step, place, program, roles));
  return stored?.value;
};

/** Leaves of one table that are announced rather than stored, at most. */
const MOST_ANNOUNCED = 64;

/** Pages of addresses that no step names yet, by root, made of the indexes that the program uses. */
class FreeAddresses {
  private readonly taken = new Set<string>();
  private readonly pages: Readonly<Record<'accessed' | 'announced', readonly Vaddr[]>>;

  constructor(program: Program, without: readonly Place[], extra: Place | undefined) {
    const levels = LEVELS[program.machine.paging];
    const indexes = levels.map((level) => {
      const left = indexesAt(program, level).filter((index) => !isAmong({ level, index }, without));
      return extra?.level === level ? [...left, extra.index] : left;
    });
    this.pages = {
      accessed: addressesOf(levels, indexes),
      announced: addressesOf(levels, [...indexes.slice(0, -1), [...Array(MOST_ANNOUNCED).keys()]]),
    };
    const roots = rootsAt(program.steps);
    for (const [index, step] of program.steps.entries())
      if (isAddressStep(step) && !isAt(step, without)) this.taken.add(nameOf(roots[index], step.vaddr));
  }

  /** An address is left to access on this root. */
  has(root: Paddr): boolean {
    return this.pages.accessed.some((each) => !this.taken.has(nameOf(root, each)));
  }

  take(root: Paddr | undefined, how: 'accessed' | 'announced'): Vaddr | undefined {
    const address = this.pages[how].find((each) => !this.taken.has(nameOf(root, each)));
    if (address !== undefined) this.taken.add(nameOf(root, address));
    return address;
  }
}

const isAmong = ({ level, index }: Place, places: readonly Place[]): boolean =>
  places.some((each) => each.level === level && each.index === index);

const nameOf = (root: Paddr | undefined, address: Vaddr): string => `${root} ${Math.floor(address / PAGE_BYTES)}`;

const addressesOf = (levels: readonly Level[], indexes: readonly (readonly number[])[]): Vaddr[] =>
  levels
    .reduce<number[]>(
      (starts, { shift }, depth) =>
        starts.flatMap((start) => indexes[depth].map((index) => start + index * 2 ** shift)),
      [0],
    )
    .map(vaddr);
