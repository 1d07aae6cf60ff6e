/**
 * The guest's own page tables, read as a CPU without any cache would read them (machine.md 3, demand, 2, and guest-pa).
 *
 *                31            22 21            12 11              0
 *               +----------------+----------------+-----------------+
 *     2-level   |    PGD  10     |    PTE  10     |   offset  12    |
 *               +----------------+----------------+-----------------+
 *
 *                31  30 29         21 20         12 11              0
 *               +------+-------------+-------------+-----------------+
 *     PAE       | PGD 2|   PMD  9    |   PTE  9    |   offset  12    |
 *               +------+-------------+-------------+-----------------+
 */

import type { Rights } from './entry.js';
import {
  A,
  ALL_RIGHTS,
  bothRights,
  D,
  hasFlagsBeside,
  isPresent,
  linearLeaf,
  P,
  pageNumber,
  rightsOf,
  RW,
  US,
} from './entry.js';
import type { GuestRam } from './guest-ram.js';
import type { GuestEntry, Killed, Paddr, Paging, Vaddr } from './vocabulary/index.js';
import { KILL, PAGE_BYTES, paddr } from './vocabulary/index.js';

/** A level whose entries point to tables of the level below. */
interface UpperLevel {
  readonly kind: 'upper';
  /** The lowest bit of this level's field of the address. */
  readonly lowestBit: number;
  readonly entries: number;
  /** Bits below 12 that an entry may have. */
  readonly allowed: number;
  readonly carriesRights: boolean;
  /** The kill for an entry with other bits, or with a page number outside RAM. */
  readonly badEntry: Killed;
  readonly below: Level;
}

/** The level whose entries map pages. */
interface LeafLevel {
  readonly kind: 'leaf';
  readonly lowestBit: number;
  readonly entries: number;
}

export type Level = UpperLevel | LeafLevel;

const TABLE_FLAGS = P | RW | US | A | D;

/** The top level of each paging mode, which leads to the levels below. */
export const TOP_LEVEL: Readonly<Record<Paging, Level>> = {
  '2-level': {
    kind: 'upper',
    lowestBit: 22,
    entries: 1024,
    allowed: TABLE_FLAGS,
    carriesRights: true,
    badEntry: KILL.badDirectoryEntry,
    below: { kind: 'leaf', lowestBit: 12, entries: 1024 },
  },
  pae: {
    kind: 'upper',
    lowestBit: 30,
    entries: 4,
    allowed: P,
    carriesRights: false,
    badEntry: KILL.badDirectoryEntry,
    below: {
      kind: 'upper',
      lowestBit: 21,
      entries: 512,
      allowed: TABLE_FLAGS,
      carriesRights: true,
      badEntry: KILL.badMiddleEntry,
      below: { kind: 'leaf', lowestBit: 12, entries: 512 },
    },
  },
};

/** Whether upper entries are checked for flags and limits (demand) or taken as they are (guest-pa). */
export type Strictness = 'checked' | 'unchecked';

/** A present leaf, and what leads to it. */
export interface Translation {
  readonly kind: 'translated';
  readonly leaf: GuestEntry;
  /** The address of the leaf in guest RAM; undefined in linear mode. */
  readonly home: Paddr | undefined;
  /** The AND of the rights of the upper entries. */
  readonly upperRights: Rights;
}

/** `absent`: some entry on the way was not present. */
export type Walk = Translation | { readonly kind: 'absent' } | Killed;

const ABSENT: Walk = { kind: 'absent' };

/** Walks from a table of `level` at address `table` down to the leaf for `address`. */
export const walkGuest = (
  ram: GuestRam,
  level: Level,
  table: Paddr,
  address: Vaddr,
  strictness: Strictness,
  upperRights: Rights = ALL_RIGHTS,
): Walk => {
  const home = paddr(table + indexAt(level, address) * ram.entryBytes);
  if (!ram.holds(home)) return KILL.badRead(home, ram.entryBytes);
  const entry = ram.read(home);
  if (!isPresent(entry)) return ABSENT;
  if (level.kind === 'leaf') return { kind: 'translated', leaf: entry, home, upperRights };
  if (strictness === 'checked' && isBadUpper(level, entry, ram.guestPages)) return level.badEntry;
  const rights = level.carriesRights ? bothRights(upperRights, rightsOf(entry)) : upperRights;
  return walkGuest(ram, level.below, tableAddress(entry), address, strictness, rights);
};

/** In linear mode every address maps to itself (machine.md 3, demand, 1). */
export const linearTranslation = (address: Vaddr): Translation => ({
  kind: 'translated',
  leaf: linearLeaf(address),
  home: undefined,
  upperRights: ALL_RIGHTS,
});

/** Which entry of a table of `level` translates `address`. */
export const indexAt = (level: Level, address: Vaddr): number => (address >>> level.lowestBit) % level.entries;

const isBadUpper = (level: UpperLevel, entry: GuestEntry, guestPages: number): boolean =>
  hasFlagsBeside(entry, level.allowed) || pageNumber(entry) >= guestPages;

/** Modulo 2³², which matters to an unchecked walk alone. */
const tableAddress = (entry: GuestEntry): Paddr => paddr(pageNumber(entry) * PAGE_BYTES);
