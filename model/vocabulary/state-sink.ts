/**
 * How a machine tells its state to whoever must know two states apart (properties/exhaust). A state is a set of facts, in no
 * order. A fact is a kind and some numbers, and each number says what it stands for, so that whoever listens may give pages,
 * roots, CPUs and slots other names.
 *
 * What is told must decide all that the machine will ever do: two states with the same facts have the same future. What
 * nothing that is to come depends on, such as which free page is handed out next, is left out.
 */

import type { GuestEntry, Paddr, Slot } from './units.js';

export interface StateSink {
  /** Begins a fact. What follows belongs to it. `kind`: any number that no other fact of this machine begins with. */
  fact(kind: number): void;
  /** Begins a fact about a slot. */
  slotFact(kind: number, slot: Slot): void;
  /** A number that means itself. */
  number(value: number): void;
  flag(value: boolean): void;
  /** A guest page. */
  page(page: number): void;
  /** A page-table word of the guest, or a leaf made of one: a guest page from bit 12 up, and bits that mean themselves. */
  entry(entry: GuestEntry): void;
  /** The address of a word in guest RAM, or that of a root. */
  address(address: Paddr): void;
  cpu(cpu: number): void;
}
