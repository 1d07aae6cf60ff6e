/**
 * A walk of the guest's tables that neither machine takes part in: it reads what the harness recorded of guest RAM
 * (machine.md 3, demand 1–5, and guest-pa). Invariants that judge a leaf, an accessed bit or a right without trusting either
 * side rest on it, and explanations do. The outcome of an access needs no third walk: the model's `fresh` is that, and
 * uncached-walk.test.ts checks that the two agree on any program.
 */

import type { Killed, MachineConfig, Outcome, Paddr, Step, Vaddr } from '../model/vocabulary/index.js';
import {
  FAULT_PRESENT,
  FAULT_RESERVED,
  KILL,
  accessCode,
  guestEntry,
  hasFeature,
  paddr,
  vaddr,
} from '../model/vocabulary/index.js';
import type { AccessKind, AccessMode, GuestEntry } from '../model/vocabulary/index.js';
import type { GuestRecord } from './guest-record.js';

export type WalkResult =
  | { readonly kind: 'absent' }
  /** An entry has reserved bits set, which a CPU with the feature reports. */
  | { readonly kind: 'reserved' }
  | Killed
  | {
      readonly kind: 'leaf';
      /** Rights over all levels. */
      readonly writable: boolean;
      readonly user: boolean;
      readonly executable: boolean;
      readonly entry: GuestEntry;
      /** Of the page that it maps. */
      readonly bytes: number;
      /** Where the leaf lies in guest RAM; none in linear mode. */
      readonly at: Paddr | undefined;
    };

const ABSENT: WalkResult = { kind: 'absent' };
const RESERVED: WalkResult = { kind: 'reserved' };

/** `>>> 0` changes no unsigned number of 32 bits, and makes the division one of integers (scripts/bench/README.md). */
const remainder = (unsigned: number, divisor: number): number => (unsigned >>> 0) % divisor;

export const isPresent = (entry: GuestEntry): boolean => remainder(entry.low, 2) === 1;
export const isWritable = (entry: GuestEntry): boolean => (entry.low >>> 1) % 2 === 1;
export const isUser = (entry: GuestEntry): boolean => (entry.low >>> 2) % 2 === 1;
export const accessed = (entry: GuestEntry): boolean => (entry.low >>> 5) % 2 === 1;
export const dirty = (entry: GuestEntry): boolean => (entry.low >>> 6) % 2 === 1;
const large = (entry: GuestEntry): boolean => (entry.low >>> 7) % 2 === 1;
/** Up to 52 bits, exact. */
export const pageOf = (entry: GuestEntry): number => entry.high * 2 ** 20 + Math.floor(entry.low / 4096);
/** The page that an entry leads to. On a CPU with features the bits above its number are reserved, or XD. */
export const targetOf = (entry: GuestEntry, { features }: Pick<MachineConfig, 'features'>): number =>
  features === undefined ? pageOf(entry) : pageOf(entry) % 2 ** 20;
export const isNoExecute = (entry: GuestEntry): boolean => entry.high >= 2 ** 31;
const P_RW_US_A_D = 0b110_0111;

/** One level of the tables: how it splits an address, and which flags it allows below bit 12. */
export interface Level {
  /** Addresses that one entry translates, in bytes. */
  readonly reach: number;
  readonly entries: number;
  readonly flags: number;
  readonly hasRights: boolean;
  readonly bad: Killed;
}

const LEAF: Level = { reach: 2 ** 12, entries: 0, flags: 0xfff, hasRights: true, bad: KILL.badTableEntry };
export const LEVELS: Readonly<Record<'2-level' | 'pae', readonly Level[]>> = {
  '2-level': [
    { reach: 2 ** 22, entries: 1024, flags: P_RW_US_A_D, hasRights: true, bad: KILL.badDirectoryEntry },
    { ...LEAF, entries: 1024 },
  ],
  pae: [
    { reach: 2 ** 30, entries: 4, flags: 1, hasRights: false, bad: KILL.badDirectoryEntry },
    { reach: 2 ** 21, entries: 512, flags: P_RW_US_A_D, hasRights: true, bad: KILL.badMiddleEntry },
    { ...LEAF, entries: 512 },
  ],
};

const indexAt = ({ reach, entries }: Level, address: Vaddr): number => remainder(Math.floor(address / reach), entries);

/** A directory entry that maps a large page by itself (machine.md 6). */
export const isLargePage = (entry: GuestEntry, isDirectory: boolean, config: MachineConfig): boolean =>
  isDirectory && large(entry) && hasFeature(config, 'large-pages');

/** Whether it has bits set that are reserved on every CPU (machine.md 6). */
export const hasReserved = (entry: GuestEntry, isDirectory: boolean, config: MachineConfig): boolean => {
  const isPae = config.paging === 'pae';
  const page = isLargePage(entry, isDirectory, config) ? Math.floor(entry.low / 4096) : 0;
  const inPage = isPae ? remainder(page, 512) >= 2 : remainder(Math.floor(page / 512), 2) === 1;
  const top = Math.floor(entry.high / 2 ** 20);
  return inPage || top % 2048 !== 0 || (isNoExecute(entry) && !hasFeature(config, 'no-execute'));
};

/** Walks from the root that the guest runs on. In linear mode every address has a leaf of its own. */
export const uncachedWalk = (guest: GuestRecord, address: Vaddr): WalkResult => {
  if (guest.root === undefined) {
    const own = Math.floor(address / 4096) * 4096;
    const entry = guestEntry(own + 3);
    return { kind: 'leaf', writable: true, user: false, executable: true, entry, bytes: 4096, at: undefined };
  }
  const levels = LEVELS[guest.config.paging];
  const bytes = guest.sizes.entryBytes;
  let table: number = guest.root;
  let mayWrite = true;
  let mayUser = true;
  let mayExecute = true;
  const { config } = guest;
  for (let depth = 0; ; depth++) {
    const level = levels[depth];
    const at = paddr(table + indexAt(level, address) * bytes);
    if (!guest.inRam(at)) return KILL.badRead(at, bytes);
    const entry = guest.word(at);
    if (!isPresent(entry)) return ABSENT;
    const isDirectory = depth === levels.length - 2;
    if (config.features !== undefined && level.hasRights && hasReserved(entry, isDirectory, config)) return RESERVED;
    if (level.hasRights) {
      mayExecute &&= !isNoExecute(entry);
      mayWrite &&= isWritable(entry);
      mayUser &&= isUser(entry);
    }
    if (depth === levels.length - 1 || isLargePage(entry, isDirectory, config)) {
      const rights = { writable: mayWrite, user: mayUser, executable: mayExecute };
      return { kind: 'leaf', ...rights, entry, bytes: level.reach, at };
    }
    const page = targetOf(entry, config);
    if ((entry.low & 0xfff & ~level.flags) !== 0 || page >= config.guestPages) return level.bad;
    table = page * 4096;
  }
};

/** Where the leaf lies through which an access goes, if the guest's tables lead to one. */
const leafFor = (guest: GuestRecord, step: Step | undefined): Paddr | undefined => {
  if (step?.op !== 'access') return undefined;
  const walk = uncachedWalk(guest, step.vaddr);
  return walk.kind === 'leaf' ? walk.at : undefined;
};

/** Whether an access passes the entry at `at` on the way to a leaf, and sets A in it: PAE's top entries have no A. */
export const isUpperEntryFor = (guest: GuestRecord, step: Step | undefined, at: Paddr): boolean => {
  if (step?.op !== 'access' || leafFor(guest, step) === at) return false;
  let table: number | undefined = guest.root;
  for (const level of LEVELS[guest.config.paging]) {
    if (table === undefined) return false;
    const entryAt = paddr(table + indexAt(level, step.vaddr) * guest.sizes.entryBytes);
    if (entryAt === at) return level.hasRights;
    const entry = guest.word(entryAt);
    table = isPresent(entry) ? pageOf(entry) * 4096 : undefined;
  }
  return false;
};

/** Whether RW counts: without CR0.WP, it does not for the kernel (machine.md 6). */
export const isWriteGuarded = ({ config }: GuestRecord, mode: AccessMode): boolean =>
  mode === 'user' || !hasFeature(config, 'write-protect-off');

/** The outcome of an access when nothing is cached and the host withholds nothing. */
export const uncachedAccess = (guest: GuestRecord, address: Vaddr, kind: AccessKind, mode: AccessMode): Outcome => {
  const code = accessCode(kind, mode);
  if (address >= guest.sizes.switcherAddress) return { kind: 'fault', code };
  const walk = uncachedWalk(guest, address);
  if (walk.kind === 'killed') return walk;
  if (walk.kind === 'absent') return { kind: 'fault', code };
  if (walk.kind === 'reserved') return { kind: 'fault', code: code | FAULT_PRESENT | FAULT_RESERVED };
  const refused =
    (kind === 'write' && !walk.writable && isWriteGuarded(guest, mode)) ||
    (mode === 'user' && !walk.user) ||
    (kind === 'execute' && !walk.executable);
  if (refused) return { kind: 'fault', code: code | FAULT_PRESENT };
  if (guest.config.features !== undefined) {
    return { kind: 'mapped', paddr: paddr(Math.floor(walk.entry.low / 4096) * 4096 + remainder(address, walk.bytes)) };
  }
  const page = pageOf(walk.entry);
  const { guestPages, devicePages } = guest.config;
  const physical = paddr(page * 4096 + remainder(address, 4096));
  const bad = large(walk.entry) || walk.entry.high >= 4096 || page >= guestPages + devicePages;
  if (bad) return KILL.badTableEntry;
  return page < guestPages ? { kind: 'mapped', paddr: physical } : { kind: 'mmio', paddr: physical };
};

/** What `guest-pa` must answer, for which presence alone counts (machine.md 3, guest-pa). */
export interface PhysicalAnswer {
  readonly outcome: Outcome;
  /** Present entries on the way. */
  readonly depth: number;
}

export const uncachedPhysical = (guest: GuestRecord, address: Vaddr): PhysicalAnswer => {
  if (guest.root === undefined) return { outcome: { kind: 'physical', paddr: paddr(address) }, depth: 0 };
  const bytes = guest.sizes.entryBytes;
  const levels = LEVELS[guest.config.paging];
  let table: number = guest.root;
  for (let depth = 0; depth < levels.length; depth++) {
    const at = paddr(table + indexAt(levels[depth], address) * bytes);
    if (!guest.inRam(at)) return { outcome: KILL.badRead(at, bytes), depth };
    const entry = guest.word(at);
    if (!isPresent(entry)) return { outcome: KILL.badAddress(vaddr(address)), depth };
    table = (pageOf(entry) % 2 ** 20) * 4096;
  }
  return { outcome: { kind: 'physical', paddr: paddr(table + remainder(address, 4096)) }, depth: levels.length };
};
