/** What the numbers of a macro mean for a coherent guest's leaves. */

import { PAGE_BYTES } from '../../model/vocabulary/index.js';
import { A, D } from '../entry-bits.js';
import type { CoherentLayout } from './coherent-layout.js';
import { KERNEL_FULL } from './entry-flags.js';

/** One in sixteen is for the kernel alone, one is not present, three are read-only; half are not aged or not dirty. */
const USER_FLAGS: readonly number[] = [
  0x67, 0x67, 0x67, 0x67, 0x27, 0x27, 0x07, 0x07, 0x07, 0x65, 0x25, 0x05, 0x63, 0x7f, 0x47, 0x66,
];

/** A quarter of them is open to users, as no kernel would have it. */
const KERNEL_FLAGS: readonly number[] = [0x63, 0x63, 0x163, 0x163, 0x23, 0x03, 0x61, 0x101, 0x67, 0x67, 0x07, 0x00];

/** More would keep leaves from ever mapping the same page. */
const MOST_DATA_PAGES = 12;

/** Which of `count` things the lowest eight bits choose. */
export const choose = (bits: number, count: number): number => ((bits & 0xff) * count) >> 8;

export const dataPage = ({ firstData, machine }: CoherentLayout, what: number): number =>
  firstData + ((what & 0xffff) % Math.min(machine.guestPages - firstData, MOST_DATA_PAGES));

/** RAM, and once in sixteen a device if there is one. */
const target = (layout: CoherentLayout, what: number): number => {
  const { guestPages, devicePages } = layout.machine;
  const device = devicePages > 0 && (what & 0xf0000) === 0;
  return device ? guestPages + ((what & 0xffff) % devicePages) : dataPage(layout, what);
};

const leafFrom = (layout: CoherentLayout, what: number, flags: readonly number[]): number =>
  target(layout, what) * PAGE_BYTES + (flags[choose(what >>> 20, flags.length)] ?? 0);

export const userLeaf = (layout: CoherentLayout, what: number): number => leafFrom(layout, what, USER_FLAGS);
export const kernelLeaf = (layout: CoherentLayout, what: number): number => leafFrom(layout, what, KERNEL_FLAGS);

/** A stack page is writable; whether it was touched or written yet is the guest's guess. */
export const stackLeaf = (layout: CoherentLayout, what: number): number =>
  dataPage(layout, what) * PAGE_BYTES + (KERNEL_FULL & ~(what & (A | D)));
