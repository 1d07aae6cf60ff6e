/**
 * Sequences that kill a hostile guest, or should. A death makes all later steps useless, so these come last; and they do not leave it to
 * chance, but first store the tables that lead to the bad entry, map the page that is then refused, and so on.
 */

import type { GuestEntry } from '../../model/vocabulary/index.js';
import { ADDRESS_SPACE_BYTES, PAGE_BYTES, guestEntry, switcherRegistersAddress } from '../../model/vocabulary/index.js';
import { A, FULL, P, PSE, RIGHTS, RW } from '../entry-bits.js';
import type { Draw } from './draw.js';
import { lottery } from './draw.js';
import { STEP_FIELDS } from './fields.js';
import type { HostileGuest } from './hostile-guest.js';
import type { WalkPath } from './walk-path.js';
import { forgetPath, layAnyPath, layPath, mapEnd, readEnd } from './walk-path.js';

type FatalSequence = (guest: HostileGuest) => void;

const LARGEST = ADDRESS_SPACE_BYTES - 1;

/** The longest fatal sequence, in steps. */
export const MOST_FATAL_STEPS = 12;

/** High halves of a PAE entry: reserved bits only, page number bits only, both. */
const HIGH_HALVES: readonly number[] = [0x1000, 0x80000000, 0x7ffff000, 1, 0x800, 0xfff, 0xffffffff];

/** One of them, or any single bit. */
const badHighHalf = (draw: Draw): number => (draw.bits(1) === 0 ? (1 << draw.below(32)) >>> 0 : draw.pick(HIGH_HALVES));

const dataEntry = (guest: HostileGuest, flags: number, high = 0): GuestEntry =>
  guestEntry(guest.draw.pick(guest.layout.data) * PAGE_BYTES + flags, high);

const isPae = ({ geometry }: HostileGuest): boolean => geometry.paging === 'pae';

/** A leaf that names no page, or has bits that no leaf may have. */
const badLeaf = (guest: HostileGuest): GuestEntry => {
  const { guestPages, devicePages } = guest.layout.machine;
  const choice = guest.draw.below(isPae(guest) ? 10 : 4);
  if (choice >= 4) return dataEntry(guest, FULL, badHighHalf(guest.draw));
  if (choice === 0) return dataEntry(guest, FULL | PSE);
  if (choice <= 2) return guestEntry((guestPages + devicePages) * PAGE_BYTES + FULL);
  return guestEntry(guest.draw.pick([0xfffff000, guestPages * PAGE_BYTES + PSE, guest.highBitPage()]) + FULL);
};

/** A bad leaf, found by a walk or announced in place of one in use. */
const fatalLeaf: FatalSequence = (guest) => {
  const path = layAnyPath(guest);
  if (guest.draw.bits(1) === 0) return mapEnd(guest, path, badLeaf(guest));
  mapEnd(guest, path, dataEntry(guest, FULL));
  guest.setPte(path.root, path.page, badLeaf(guest));
};

/** The entry that names `table` with these flags, spoilt: it has a bit that no entry of its level may have, or a page outside RAM. */
const badUpper = (guest: HostileGuest, table: number, flags: number): GuestEntry => {
  const { draw } = guest;
  const good = table * PAGE_BYTES + flags;
  const choice = draw.below(isPae(guest) ? 9 : 5);
  if (choice >= 5) return guestEntry(good, badHighHalf(draw));
  if (choice <= 1) return guestEntry(good | PSE);
  if (choice <= 3) return guestEntry(good | draw.pick(FLAG_BITS.filter((bit) => (flags & bit) === 0)));
  return guestEntry(guest.outsideRam() + flags);
};

const FLAG_BITS: readonly number[] = Array.from({ length: 12 }, (_, bit) => 1 << bit);

const spoilUpper = (guest: HostileGuest, { uppers, table }: WalkPath, depth: number): void => {
  const { draw, layout } = guest;
  const namesLeafTable = depth === uppers.length - 1;
  const bad = namesLeafTable ? badUpper(guest, table, FULL) : badUpper(guest, draw.pick(layout.middles), P);
  guest.store(uppers[depth] ?? 0, bad);
};

const fatalUpper: FatalSequence = (guest) => {
  const path = layAnyPath(guest);
  guest.store(path.leaf, dataEntry(guest, FULL));
  spoilUpper(guest, path, guest.draw.below(path.uppers.length));
  forgetPath(guest, path);
  if (guest.draw.bits(2) === 0) guest.guestPa(path.page);
  else readEnd(guest, path);
};

/** The host refuses a page that is in use when the hypervisor takes it again, or for writing. */
const refusedPage: FatalSequence = (guest) => {
  const { draw } = guest;
  const page = draw.pick(guest.layout.data);
  const path = layAnyPath(guest);
  const leaf = guestEntry(page * PAGE_BYTES + draw.pick([RIGHTS, P | RW | A]));
  mapEnd(guest, path, leaf);
  guest.protect(page, draw.bits(1) === 0 ? 'none' : 'read');
  if (draw.bits(2) === 0) guest.setPte(path.root, path.page, guestEntry(page * PAGE_BYTES + FULL));
  else guest.access(path.page, 'write', 'kernel');
};

/** The host has no memory for a leaf table, nor, sometimes, for the PAE middle table above it. */
const outOfTables: FatalSequence = (guest) => {
  const region = guest.region();
  const pteIndex = guest.draw.pick(guest.layout.pteIndexes);
  // Under the same root entry, but not the Switcher's region.
  const neighbour = (region ^ 1) === guest.geometry.switcherRegion ? region - 1 : region ^ 1;
  const path = layPath(guest, region, pteIndex);
  mapEnd(guest, path, dataEntry(guest, FULL));
  const end = layPath(guest, neighbour, pteIndex);
  guest.store(end.leaf, dataEntry(guest, FULL));
  if (guest.draw.bits(2) === 0) forgetPath(guest, end);
  guest.failAlloc(guest.draw.bits(2) !== 0 ? 1 : guest.near(STEP_FIELDS['fail-alloc'].count, 0));
  if (guest.draw.bits(2) === 0) guest.setStack(end.page + PAGE_BYTES, 1);
  else readEnd(guest, end);
};

const switcherPte: FatalSequence = (guest) => {
  const { switcherAddress } = guest.geometry;
  const address = guest.draw.pick([switcherAddress, guest.draw.between(switcherAddress, LARGEST), LARGEST]);
  guest.setPte(guest.root(), address, guest.leaf());
};

const rootIndexTooLarge: FatalSequence = (guest) => {
  const { rootEntries } = guest.geometry;
  const near = guest.near(STEP_FIELDS['set-pgd'].index, rootEntries);
  guest.setPgd(guest.root(), guest.draw.pick([rootEntries, rootEntries, rootEntries, near, LARGEST]));
};

/**
 * A stack in the Switcher's window, mostly in the registers page, the only one there that is writable, or in a page that the guest's own
 * tables map there.
 */
const stackInSwitcher: FatalSequence = (guest) => {
  const { geometry, draw, cpu } = guest;
  const { switcherAddress, switcherRegion, paging } = geometry;
  const mapsItself = draw.bits(1) === 0;
  if (mapsItself) guest.store(layPath(guest, switcherRegion, 0).leaf, dataEntry(guest, FULL));
  else guest.touch(guest.address());
  const registers = switcherRegistersAddress(paging, cpu);
  const page = mapsItself ? switcherAddress : draw.pick([registers, registers, registers, registers + PAGE_BYTES]);
  // A stack pointer of 0 or 1 wraps.
  const esp = draw.bits(3) === 0 ? draw.pick([0, 1, PAGE_BYTES]) : page + guest.offsetOfStack();
  guest.setStack(esp, draw.between(1, 2));
};

/** Switching to a root outside RAM is no error until its tables are read. */
const rootOutsideRam: FatalSequence = (guest) => {
  guest.newPgtable(guest.outsideRam());
  const choice = guest.draw.bits(2);
  if (choice === 0) guest.touch(guest.address());
  else if (choice === 1) guest.guestPa(guest.address());
  else pinStack(guest);
};

/** Makes the hypervisor pin the stack (machine.md 3), in each of the ways there are. */
const pinStack: FatalSequence = (guest) => {
  const { draw, layout } = guest;
  const choice = draw.below(isPae(guest) ? 3 : 2);
  guest.setUsualStack(1);
  if (choice === 1) guest.flush('all');
  if (choice === 2) guest.setPmd(draw.pick(layout.middles), draw.below(guest.geometry.tableEntries));
};

/** Maps the stack correctly, then spoils an entry on the path to it, or its page, or the host's memory. */
const spoilStack = (guest: HostileGuest): WalkPath => {
  const { draw, layout } = guest;
  const path = layPath(guest, layout.stackRegion, layout.stackPteIndex);
  const page = draw.pick(layout.data);
  guest.store(path.leaf, guestEntry(page * PAGE_BYTES + FULL));
  guest.setUsualStack(1);
  const choice = draw.below(path.uppers.length + 3);
  if (choice < path.uppers.length) spoilUpper(guest, path, choice);
  else if (choice === path.uppers.length) guest.store(path.leaf, badLeaf(guest));
  else if (choice === path.uppers.length + 1) guest.protect(page, draw.bits(1) === 0 ? 'none' : 'read');
  else guest.failAlloc(1);
  return path;
};

/** The stack was correct, and is spoilt when the hypervisor pins it again. */
const spoiltStack: FatalSequence = (guest) => {
  const path = spoilStack(guest);
  if (guest.draw.bits(1) === 0) guest.setPgd(path.root, path.topIndex);
  pinStack(guest);
};

/** The same in a blank slot, so this must come before all four slots are in use. The other root may share the spoilt leaf. */
export const spoiltStackInBlankSlot: FatalSequence = (guest) => {
  const { root } = spoilStack(guest);
  guest.newPgtable(guest.layout.roots.find((other) => other !== root) ?? root);
};

const FORBIDDEN_CALLS: readonly FatalSequence[] = [
  (guest) => guest.init(guest.layout.kernelAddress),
  (guest) => guest.setPmd(guest.draw.pick(guest.layout.leaves), guest.draw.below(guest.geometry.tableEntries)),
  (guest) => guest.setUsualStack(guest.draw.pick([3, LARGEST, guest.near(STEP_FIELDS['set-stack'].pages, 3)])),
  (guest) => guest.guestPa(guest.draw.pick([guest.geometry.switcherAddress, LARGEST, guest.draw.unsigned()])),
];
const forbiddenCall: FatalSequence = (guest) => guest.draw.pick(FORBIDDEN_CALLS)(guest);

/** Each as often as it has variants. */
const FATAL_SEQUENCES = lottery<FatalSequence>([
  [7, fatalLeaf],
  [6, fatalUpper],
  [2, refusedPage],
  [3, outOfTables],
  [1, switcherPte],
  [2, rootIndexTooLarge],
  [2, stackInSwitcher],
  [3, spoiltStack],
  [2, rootOutsideRam],
  [1, forbiddenCall],
]);

/** The last steps of a program: seven programs in eight try to die. */
export const tryToDie = (guest: HostileGuest): void => {
  if (guest.draw.bits(3) !== 0) guest.draw.pick(FATAL_SEQUENCES)(guest);
};
