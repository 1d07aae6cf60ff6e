/**
 * What a hostile guest dies of, or should. A death costs a program all its later steps, so that it comes last, and it comes on
 * purpose: the way to the bad entry is laid, the page that is refused is in use, the window is entered.
 */

import type { GuestEntry } from '../../model/vocabulary/index.js';
import { ADDRESS_SPACE_BYTES, PAGE_BYTES, guestEntry, switcherRegistersAddress } from '../../model/vocabulary/index.js';
import { A, FULL, G, P, PCD, PSE, PWT, RIGHTS, RW } from '../entry-bits.js';
import type { HostileGuest } from './hostile-guest.js';
import type { Way } from './ways.js';
import { forgetWay, layAnyWay, layWay, mapEnd, readEnd } from './ways.js';

type Ending = (guest: HostileGuest) => void;

const LARGEST = ADDRESS_SPACE_BYTES - 1;

/** The most steps that an ending takes. */
export const ENDING_STEPS = 12;

/** Upper halves of a PAE entry: reserved bits alone, page number bits alone, both. */
const HIGH_HALVES: readonly number[] = [0x1000, 0x80000000, 0x7ffff000, 1, 0x800, 0xfff, 0xffffffff];

const dataEntry = (guest: HostileGuest, flags: number, high = 0): GuestEntry =>
  guestEntry(guest.draw.pick(guest.pool.data) * PAGE_BYTES + flags, high);

const isPae = ({ geometry }: HostileGuest): boolean => geometry.paging === 'pae';

/** A leaf that names nothing, or says what no leaf may say. */
const badLeaf = (guest: HostileGuest): GuestEntry => {
  const { guestPages, devicePages } = guest.pool.machine;
  const choice = guest.draw.below(isPae(guest) ? 10 : 4);
  if (choice >= 4) return dataEntry(guest, FULL, guest.draw.pick(HIGH_HALVES));
  if (choice === 0) return dataEntry(guest, FULL | PSE);
  if (choice <= 2) return guestEntry((guestPages + devicePages) * PAGE_BYTES + FULL);
  return guestEntry(guest.draw.pick([0xfffff000, guestPages * PAGE_BYTES + PSE, 0x80000000]) + FULL);
};

/** The bad leaf takes the place of one in use, which is told of it, or else it is walked to. */
const dieOfLeaf: Ending = (guest) => {
  const way = layAnyWay(guest);
  if (guest.draw.bits(1) === 0) return mapEnd(guest, way, badLeaf(guest));
  mapEnd(guest, way, dataEntry(guest, FULL));
  guest.setPte(way.root, way.page, badLeaf(guest));
};

/** An entry for the place of one that names `table` with these flags: it says what no upper entry may say. */
const badUpper = (guest: HostileGuest, table: number, flags: number): GuestEntry => {
  const { draw } = guest;
  const good = table * PAGE_BYTES + flags;
  const choice = draw.below(isPae(guest) ? 9 : 5);
  if (choice >= 5) return guestEntry(good, draw.pick(HIGH_HALVES));
  if (choice <= 1) return guestEntry(good | PSE);
  if (choice <= 3) return guestEntry(good | draw.pick([PWT, PCD, G]));
  return guestEntry(guest.outsideRam() + flags);
};

const spoilUpper = (guest: HostileGuest, { uppers, table }: Way, depth: number): void => {
  const { draw, pool } = guest;
  const namesLeafTable = depth === uppers.length - 1;
  const bad = namesLeafTable ? badUpper(guest, table, FULL) : badUpper(guest, draw.pick(pool.middles), P);
  guest.store(uppers[depth] ?? 0, bad);
};

const dieOfUpper: Ending = (guest) => {
  const way = layAnyWay(guest);
  guest.store(way.leaf, dataEntry(guest, FULL));
  spoilUpper(guest, way, guest.draw.below(way.uppers.length));
  forgetWay(guest, way);
  if (guest.draw.bits(2) === 0) guest.guestPa(way.page);
  else readEnd(guest, way);
};

/** A page that is in use may no longer be taken when it is wanted for more, or anew. */
const dieOfRefusal: Ending = (guest) => {
  const { draw } = guest;
  const page = draw.pick(guest.pool.data);
  const way = layAnyWay(guest);
  const leaf = guestEntry(page * PAGE_BYTES + draw.pick([RIGHTS, P | RW | A]));
  mapEnd(guest, way, leaf);
  guest.protect(page, draw.bits(1) === 0 ? 'none' : 'read');
  if (draw.bits(2) === 0) guest.setPte(way.root, way.page, guestEntry(page * PAGE_BYTES + FULL));
  else guest.access(way.page, 'write', 'kernel');
};

/** The host has no memory for a leaf table; in PAE the middle table above it is there already, or not. */
const dieOfNoMemory: Ending = (guest) => {
  const region = guest.region();
  const slot = guest.draw.pick(guest.pool.slots);
  // Under the same root entry, and not the Switcher's.
  const neighbour = (region ^ 1) === guest.geometry.switcherRegion ? region - 1 : region ^ 1;
  const way = layWay(guest, region, slot);
  mapEnd(guest, way, dataEntry(guest, FULL));
  const end = layWay(guest, neighbour, slot);
  guest.store(end.leaf, dataEntry(guest, FULL));
  if (guest.draw.bits(2) === 0) forgetWay(guest, end);
  guest.failAlloc(1);
  readEnd(guest, end);
};

const dieOfSwitcherEntry: Ending = (guest) => {
  const { switcherAddress } = guest.geometry;
  const address = guest.draw.pick([switcherAddress, switcherAddress + PAGE_BYTES, LARGEST]);
  guest.setPte(guest.root(), address, guest.leaf());
};

const dieOfRootIndex: Ending = (guest) => {
  const { rootEntries } = guest.geometry;
  guest.setPgd(guest.root(), guest.draw.pick([rootEntries, rootEntries, rootEntries, rootEntries + 1, LARGEST]));
};

/** A stack in the hypervisor's own window, mostly in the one page there that can be written to. */
const dieOfStack: Ending = (guest) => {
  const { geometry, draw, cpu } = guest;
  const { switcherAddress, paging } = geometry;
  guest.touch(guest.address());
  const registers = switcherRegistersAddress(paging, cpu);
  const page = draw.pick([registers, registers, registers, registers + PAGE_BYTES, switcherAddress]);
  // A stack pointer of 0 or 1 wraps.
  const esp = draw.bits(3) === 0 ? draw.pick([0, 1, PAGE_BYTES]) : page + draw.between(1, PAGE_BYTES);
  guest.setStack(esp, draw.between(1, 2));
};

/** Nothing is wrong with switching to a root outside RAM, until its tables are read. */
const dieOfRoot: Ending = (guest) => {
  guest.newPgtable(guest.outsideRam());
  const choice = guest.draw.bits(2);
  if (choice === 0) guest.touch(guest.address());
  else if (choice === 1) guest.guestPa(guest.address());
  else pinStack(guest);
};

/** Has the hypervisor look for the stack, in one of the ways there are, whose page it must find anew. */
const pinStack: Ending = (guest) => {
  const { draw, pool } = guest;
  const choice = draw.below(isPae(guest) ? 3 : 2);
  guest.setPoolStack(1);
  if (choice === 1) guest.flush('all');
  if (choice === 2) guest.setPmd(draw.pick(pool.middles), draw.below(guest.geometry.tableEntries));
};

/** Has the stack in order, then spoils one of the entries on the way to it, or the page, or the host's memory. */
const spoilStack = (guest: HostileGuest): Way => {
  const { draw, pool } = guest;
  const way = layWay(guest, pool.stackRegion, pool.stackSlot);
  const page = draw.pick(pool.data);
  guest.store(way.leaf, guestEntry(page * PAGE_BYTES + FULL));
  guest.setPoolStack(1);
  const choice = draw.below(way.uppers.length + 3);
  if (choice < way.uppers.length) spoilUpper(guest, way, choice);
  else if (choice === way.uppers.length) guest.store(way.leaf, badLeaf(guest));
  else if (choice === way.uppers.length + 1) guest.protect(page, draw.bits(1) === 0 ? 'none' : 'read');
  else guest.failAlloc(1);
  return way;
};

/** A stack that was in order is not when the hypervisor looks for it again. */
const dieOfPin: Ending = (guest) => {
  const way = spoilStack(guest);
  if (guest.draw.bits(1) === 0) guest.setPgd(way.root, way.topIndex);
  pinStack(guest);
};

/**
 * The same in a slot that was blank; so it must come before all four are in use. A root that shares the leaf table shares the
 * spoilt leaf.
 */
export const dieOfBlankSlot: Ending = (guest) => {
  const { root } = spoilStack(guest);
  guest.newPgtable(guest.pool.roots.find((other) => other !== root) ?? root);
};

const CALLS_TOO_MANY: readonly Ending[] = [
  (guest) => guest.init(guest.pool.kernelAddress),
  (guest) => guest.setPmd(guest.draw.pick(guest.pool.leaves), guest.draw.below(guest.geometry.tableEntries)),
  (guest) => guest.setPoolStack(guest.draw.pick([3, 4, LARGEST])),
  (guest) => guest.guestPa(guest.draw.pick([guest.geometry.switcherAddress, LARGEST, guest.draw.unsigned()])),
];
const dieOfCall: Ending = (guest) => guest.draw.pick(CALLS_TOO_MANY)(guest);

/** A kind of entry has as many chances as there are ways for it to be bad. */
const ENDINGS: readonly Ending[] = [
  ...new Array<Ending>(7).fill(dieOfLeaf),
  ...new Array<Ending>(6).fill(dieOfUpper),
  ...new Array<Ending>(2).fill(dieOfRefusal),
  ...new Array<Ending>(3).fill(dieOfNoMemory),
  dieOfSwitcherEntry,
  ...new Array<Ending>(2).fill(dieOfRootIndex),
  ...new Array<Ending>(2).fill(dieOfStack),
  ...new Array<Ending>(3).fill(dieOfPin),
  ...new Array<Ending>(2).fill(dieOfRoot),
  dieOfCall,
];

/** The last steps of a program: seven in eight are an attempt to die. */
export const endProgram = (guest: HostileGuest): void => {
  if (guest.draw.bits(3) !== 0) guest.draw.pick(ENDINGS)(guest);
};
