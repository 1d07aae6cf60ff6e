/**
 * Short sequences of steps at the borders of what the machine accepts, which guests mostly survive. `fatal-sequences.ts` has the others.
 */

import type { GuestEntry } from '../../model/vocabulary/index.js';
import { ADDRESS_SPACE_BYTES, PAGE_BYTES, guestEntry } from '../../model/vocabulary/index.js';
import { A, D, FULL, G, P, PCD, PWT, RIGHTS, RW, US } from '../entry-bits.js';
import { drawRepetitions } from './case.js';
import { addressOf, entryAddress, middleOf, topOf } from './geometry.js';
import type { HostileGuest } from './hostile-guest.js';
import { forgetPath, layAnyPath, layPath, mapEnd, readEnd } from './walk-path.js';

type Edge = (guest: HostileGuest) => void;

// Edges: single values at a border. A program that draws them at all has one in every few dozen steps.

const LARGEST = ADDRESS_SPACE_BYTES - 1;

/** Stores or announces a leaf, and touches an address that it may map. */
const meetLeaf = (guest: HostileGuest, leaf: GuestEntry): void => {
  if (guest.draw.bits(1) === 0) guest.setPte(guest.root(), guest.announcedAddress(), leaf);
  else guest.storeLeaf(leaf);
  guest.touch(guest.address());
};

/** Stores an upper entry with this address, and with these flags if entries of its level have rights; then touches what it covers. */
const meetUpper = (guest: HostileGuest, address: number, rights = FULL): void => {
  const { draw, layout, geometry } = guest;
  const region = guest.region();
  const middle = geometry.paging === 'pae' && draw.bits(1) === 0;
  const flags = geometry.paging === 'pae' && !middle ? P : rights;
  const place = middle
    ? entryAddress(geometry, draw.pick(layout.middles), middleOf(geometry, region))
    : guest.root() + topOf(geometry, region) * geometry.entryBytes;
  guest.store(place, guestEntry(address + flags));
  if (draw.bits(1) === 0) guest.flush('all');
  guest.touch(addressOf(geometry, region, draw.pick(layout.pteIndexes)));
};

const tableAddress = (guest: HostileGuest): number => guest.draw.pick(guest.layout.leaves) * PAGE_BYTES;

const LEAF_EDGES: readonly Edge[] = [
  // Pages at the borders of RAM and of the device range.
  (guest) => {
    const { guestPages, devicePages } = guest.layout.machine;
    const borders = [0, guestPages - 1, guestPages, guestPages + devicePages - 1];
    meetLeaf(guest, guestEntry(guest.draw.pick(borders) * PAGE_BYTES + FULL));
  },
  (guest) => {
    const { guestPages, devicePages } = guest.layout.machine;
    const flags = FULL | guest.draw.pick([PWT | PCD, G]);
    meetLeaf(guest, guestEntry((guestPages + guest.draw.below(Math.max(devicePages, 1))) * PAGE_BYTES + flags));
  },
];

const UPPER_EDGES: readonly Edge[] = [
  // An upper entry with any of the bits that it may have.
  (guest) => meetUpper(guest, tableAddress(guest), P | (guest.draw.word() & FULL)),
  // A root that is a leaf table too (in PAE, a middle table), and a table that contains itself.
  (guest) => meetUpper(guest, Math.floor(guest.root() / PAGE_BYTES) * PAGE_BYTES),
  (guest) => {
    const table = guest.draw.pick(guest.layout.middles.length > 0 ? guest.layout.middles : guest.layout.leaves);
    const index =
      guest.layout.middles.length > 0
        ? middleOf(guest.geometry, guest.region())
        : guest.draw.pick(guest.layout.pteIndexes);
    guest.store(entryAddress(guest.geometry, table, index), guestEntry(table * PAGE_BYTES + FULL));
    guest.touch(guest.address());
  },
];

/** Nothing in 2-level paging, where the call kills. */
const setAnyPmd: Edge = (guest) => {
  const { draw, layout, geometry } = guest;
  if (geometry.paging === 'pae') guest.setPmd(draw.pick(layout.leaves), draw.below(geometry.tableEntries));
};

const HYPERCALL_EDGES: readonly Edge[] = [
  (guest) => guest.newPgtable(0),
  (guest) => guest.setPte(guest.outsideRam(), guest.announcedAddress(), guest.leaf()),
  (guest) => guest.setPgd(guest.outsideRam(), guest.draw.pick(guest.layout.tops)),
  // The last root entry holds the Switcher.
  (guest) => guest.setPgd(guest.root(), guest.geometry.rootEntries - 1),
  setAnyPmd,
  (guest) => guest.setPte(guest.root(), guest.geometry.switcherAddress - PAGE_BYTES, guest.leaf()),
];

/** The shadow maps two stack pages for reading, the guest's tables by now map others there, and the hypervisor has to pin both. */
const pinTwoMovedPages: Edge = (guest) => {
  const { draw, layout, geometry } = guest;
  const path = layPath(guest, layout.stackRegion, layout.stackPteIndex);
  const { leaf, page } = path;
  const mapBoth = (flags: number): void => {
    for (const each of [leaf, leaf - geometry.entryBytes])
      guest.store(each, guestEntry(draw.pick(layout.data) * PAGE_BYTES + flags));
  };
  mapBoth(RIGHTS);
  forgetPath(guest, path);
  for (const each of [page, page - PAGE_BYTES]) guest.access(each, 'read', 'kernel');
  mapBoth(FULL);
  guest.setUsualStack(2);
};

const STACK_EDGES: readonly Edge[] = [
  pinTwoMovedPages,
  (guest) => guest.setStack(guest.draw.pick([0, 1, PAGE_BYTES, guest.geometry.switcherAddress]), 0),
  (guest) => guest.setStack(guest.address(), guest.draw.between(0, 2)),
];

const ACCESS_EDGES: readonly Edge[] = [
  // The Switcher's pages, and the last address.
  (guest) => {
    const { switcherAddress } = guest.geometry;
    const registers = switcherAddress + PAGE_BYTES + 2 * PAGE_BYTES * guest.draw.below(guest.layout.machine.hostCpus);
    guest.touch(guest.draw.pick([switcherAddress, registers, registers + PAGE_BYTES, LARGEST]));
  },
  (guest) => guest.touch(guest.geometry.switcherAddress - 1),
  (guest) => guest.touch(guest.draw.pick([guest.layout.kernelAddress, guest.layout.kernelAddress - 1]) >>> 0),
  (guest) => guest.touch(guest.draw.unsigned()),
];

/** Groups that rarely kill are drawn more often. */
const GROUPS: readonly (readonly Edge[])[] = [
  LEAF_EDGES,
  LEAF_EDGES,
  LEAF_EDGES,
  ACCESS_EDGES,
  ACCESS_EDGES,
  ACCESS_EDGES,
  UPPER_EDGES,
  UPPER_EDGES,
  HYPERCALL_EDGES,
  STACK_EDGES,
];

export const meetEdge = (guest: HostileGuest): void => guest.draw.pick(guest.draw.pick(GROUPS))(guest);

// Sequences that reach a border only together.

const NARROW_FLAGS: readonly number[] = [FULL & ~RW, FULL & ~RW, FULL & ~(RW | US), FULL & ~US];
const READ_ONLY_FLAGS: readonly number[] = [
  FULL & ~RW,
  FULL & ~RW,
  FULL & ~(RW | US),
  FULL & ~(RW | A),
  FULL & ~(RW | D),
];

/** The host's memory runs out, mostly for the one step that can do without it: a switch may keep the current slot. */
export const runOutOfMemory = (guest: HostileGuest): void => {
  guest.failAlloc(guest.draw.pick([0, 1, 1, 1, 2, 3]));
  if (guest.draw.bits(3) === 0) return;
  guest.newPgtable(guest.root());
  guest.failAlloc(0);
};

/** The Launcher makes a page read-only for a while, and the guest maps it that way. */
export const shareReadOnly = (guest: HostileGuest): void => {
  const page = guest.draw.pick(guest.layout.data);
  const path = layAnyPath(guest);
  guest.protect(page, 'read');
  const leaf = guestEntry(page * PAGE_BYTES + guest.draw.pick(READ_ONLY_FLAGS));
  guest.setPte(path.root, path.page, leaf);
  mapEnd(guest, path, leaf);
  if (guest.draw.bits(3) !== 0) guest.protect(page, 'write');
};

/**
 * The entry above pages in use, often the stack's, loses a right until the hypervisor has read it, then gets it back unannounced; by then
 * the leaf may map another page. Finally the hypervisor must find the stack again.
 */
export const narrowUpper = (guest: HostileGuest): void => {
  const { draw, layout } = guest;
  const stack = draw.bits(2) !== 0;
  const path = layPath(guest, stack ? layout.stackRegion : guest.region(), draw.pick(layout.pteIndexes));
  const upper = path.uppers.at(-1) ?? 0;
  if (stack) guest.setUsualStack(1);
  guest.store(upper, guestEntry(path.table * PAGE_BYTES + draw.pick(NARROW_FLAGS)));
  guest.store(path.leaf, guest.leaf());
  // The shadow drops the leaf, alone or with its table, so the read has to walk the guest's tables.
  if (draw.bits(1) === 0) guest.setPte(path.root, path.page, guestEntry(0));
  else guest.setPgd(path.root, path.topIndex);
  guest.access(path.page, 'read', 'kernel');
  if (draw.bits(3) !== 0) guest.store(upper, guestEntry(path.table * PAGE_BYTES + FULL));
  if (draw.bits(1) === 0) guest.store(path.leaf, guest.leaf());
  if (stack) guest.setUsualStack(1);
  if (draw.bits(1) === 0) guest.setUsualStack(0);
};

// The same thing many times, because counters wrap.

const REPEATED: readonly Edge[] = [
  (guest) => guest.flush('user'),
  (guest) => guest.flush('all'),
  (guest) => guest.newPgtable(guest.root()),
  (guest) => guest.migrate(),
  (guest) => guest.setPgd(guest.root(), guest.top()),
  setAnyPmd,
  (guest) => guest.setUsualStack(1),
  (guest) => guest.guestPa(guest.address()),
  // Switches that get no root page as long as there are blank slots.
  (guest) => {
    guest.failAlloc(1);
    guest.newPgtable(guest.root());
    guest.failAlloc(0);
  },
  // Tables in more and more regions.
  (guest) => {
    const { draw, layout, geometry } = guest;
    readEnd(guest, layPath(guest, draw.below(geometry.switcherRegion), draw.pick(layout.pteIndexes)));
  },
];

export const repeatOneThing = (guest: HostileGuest, mostSteps: number): void => {
  const times = drawRepetitions(guest.draw, mostSteps);
  if (guest.draw.bits(1) === 0) return mapOnePageAt(guest, times);
  const thing = guest.draw.pick(REPEATED);
  for (let left = times; left > 0; left--) {
    thing(guest);
    guest.touch(guest.address());
  }
};

/** Maps one page at many addresses of a region, without touching them. */
const mapOnePageAt = (guest: HostileGuest, addresses: number): void => {
  const { geometry, draw, layout } = guest;
  const region = guest.region();
  const path = layPath(guest, region, draw.pick(layout.pteIndexes));
  const leaf = guestEntry(draw.pick(layout.data) * PAGE_BYTES + FULL);
  mapEnd(guest, path, leaf);
  for (let index = 0; index < addresses; index++) guest.setPte(path.root, addressOf(geometry, region, index), leaf);
};
