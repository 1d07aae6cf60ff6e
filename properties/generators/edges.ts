/**
 * Values at the borders of what the machine accepts, mostly on the side where a guest lives on; `endings.ts` has the other side.
 * A program that draws edges at all has one in every few dozen steps.
 */

import type { GuestEntry } from '../../model/vocabulary/index.js';
import { ADDRESS_SPACE_BYTES, PAGE_BYTES, guestEntry } from '../../model/vocabulary/index.js';
import { A, D, FULL, G, P, PCD, PWT, RW, US } from '../entry-bits.js';
import { addressOf, entryAddress, middleOf, topOf } from './geometry.js';
import type { HostileGuest } from './hostile-guest.js';

type Edge = (guest: HostileGuest) => void;

const LARGEST = ADDRESS_SPACE_BYTES - 1;

/** Stores a leaf, tells of it or not, and touches where it may be mapped. */
const meetLeaf = (guest: HostileGuest, leaf: GuestEntry): void => {
  if (guest.draw.bits(1) === 0) guest.setPte(guest.root(), guest.page(), leaf);
  else guest.storeLeaf(leaf);
  guest.touch(guest.address());
};

/** Stores an upper entry with this address and, if it has rights, these flags, and touches what it covers. */
const meetUpper = (guest: HostileGuest, address: number, rights = FULL): void => {
  const { draw, pool, geometry } = guest;
  const region = guest.region();
  const middle = geometry.paging === 'pae' && draw.bits(1) === 0;
  const flags = geometry.paging === 'pae' && !middle ? P : rights;
  const where = middle
    ? entryAddress(geometry, draw.pick(pool.middles), middleOf(geometry, region))
    : guest.root() + topOf(geometry, region) * geometry.entryBytes;
  guest.store(where, guestEntry(address + flags));
  if (draw.bits(1) === 0) guest.flush('all');
  guest.touch(addressOf(geometry, region, draw.pick(pool.slots)));
};

const tableAddress = (guest: HostileGuest): number => guest.draw.pick(guest.pool.leaves) * PAGE_BYTES;

const LEAF_EDGES: readonly Edge[] = [
  // Pages at the borders of RAM and of the device range.
  (guest) => {
    const { guestPages, devicePages } = guest.pool.machine;
    const borders = [0, guestPages - 1, guestPages, guestPages + devicePages - 1];
    meetLeaf(guest, guestEntry(guest.draw.pick(borders) * PAGE_BYTES + FULL));
  },
  (guest) => {
    const { guestPages, devicePages } = guest.pool.machine;
    const flags = FULL | guest.draw.pick([PWT | PCD, G]);
    meetLeaf(guest, guestEntry((guestPages + guest.draw.below(Math.max(devicePages, 1))) * PAGE_BYTES + flags));
  },
];

const UPPER_EDGES: readonly Edge[] = [
  // Bits that an upper entry may lack.
  (guest) => meetUpper(guest, tableAddress(guest), FULL & ~guest.draw.pick([RW, US, A, D])),
  // A root that is a leaf table too (in PAE, a middle table), and a table that contains itself.
  (guest) => meetUpper(guest, Math.floor(guest.root() / PAGE_BYTES) * PAGE_BYTES),
  (guest) => {
    const table = guest.draw.pick(guest.pool.middles.length > 0 ? guest.pool.middles : guest.pool.leaves);
    const index =
      guest.pool.middles.length > 0 ? middleOf(guest.geometry, guest.region()) : guest.draw.pick(guest.pool.slots);
    guest.store(entryAddress(guest.geometry, table, index), guestEntry(table * PAGE_BYTES + FULL));
    guest.touch(guest.address());
  },
];

const HYPERCALL_EDGES: readonly Edge[] = [
  (guest) => guest.newPgtable(0),
  (guest) => guest.setPte(guest.outsideRam(), guest.page(), guest.leaf()),
  (guest) => guest.setPgd(guest.outsideRam(), guest.draw.pick(guest.pool.tops)),
  // The last root entry holds the Switcher.
  (guest) => guest.setPgd(guest.root(), guest.geometry.rootEntries - 1),
  (guest) => {
    if (guest.geometry.paging === 'pae')
      guest.setPmd(guest.draw.pick(guest.pool.leaves), guest.draw.below(guest.geometry.tableEntries));
  },
  (guest) => guest.setPte(guest.root(), guest.geometry.switcherAddress - PAGE_BYTES, guest.leaf()),
];

const STACK_EDGES: readonly Edge[] = [
  (guest) => guest.setStack(guest.draw.pick([0, 1, PAGE_BYTES, guest.geometry.switcherAddress]), 0),
  (guest) => guest.setStack(guest.address(), guest.draw.between(0, 2)),
];

const ACCESS_EDGES: readonly Edge[] = [
  // The Switcher's pages, the last address, and the page under them.
  (guest) => {
    const { switcherAddress } = guest.geometry;
    const registers = switcherAddress + PAGE_BYTES + 2 * PAGE_BYTES * guest.draw.below(guest.pool.machine.hostCpus);
    guest.touch(guest.draw.pick([switcherAddress, registers, registers + PAGE_BYTES, LARGEST]));
  },
  (guest) => guest.touch(guest.geometry.switcherAddress - 1),
  (guest) => guest.touch(guest.draw.pick([guest.pool.kernelAddress, guest.pool.kernelAddress - 1]) >>> 0),
  (guest) => guest.touch(guest.draw.unsigned()),
];

/** What seldom kills is drawn more often. */
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

export const meetAnEdge = (guest: HostileGuest): void => guest.draw.pick(guest.draw.pick(GROUPS))(guest);
