/**
 * What two machines told of their state, word for word. Two transcripts that are equal tell of the same state, and to see that is
 * many times cheaper than a key: most steps of an exploration change nothing. Two that differ may still tell of the same state,
 * because facts come in no order.
 */

import type { GuestEntry, Paddr, Slot, StateSink } from '../../model/vocabulary/index.js';
import type { TellingMachine } from './telling-machine.js';

/** What a word is. From `slotFact` up, one for each slot: a fact about it begins. The value of a fact is its kind. */
export const WORD = { side: 0, number: 1, page: 2, address: 3, cpu: 4, fact: 5, slotFact: 6 } as const;

/** The value of the word that facts of one side begin with: it keeps them apart from those of the other. */
const SIDES = { reference: 0x10000, subject: 0x20000 } as const;
const FIRST_CAPACITY = 1 << 9;

export class Transcript implements StateSink {
  length = 0;
  /** One of `WORD` for each word. */
  tags = new Uint8Array(FIRST_CAPACITY);
  /** Numbers of up to 32 bits, sign or not. */
  values = new Int32Array(FIRST_CAPACITY);

  /** Takes down the state of two living machines. */
  take(reference: TellingMachine, subject: TellingMachine): void {
    this.length = 0;
    this.put(WORD.side, SIDES.reference);
    reference.tellState(this);
    this.put(WORD.side, SIDES.subject);
    subject.tellState(this);
  }

  /**
   * Takes down that a machine is no more, for this reason. All machines that died of one reason are one: of a dead machine
   * nothing is asked but that it stays dead, and that `destroy` gives everything back, and the latter is asked after every kill.
   */
  takeEnd(reason: string): void {
    this.length = 0;
    this.put(WORD.side, SIDES.reference);
    this.fact(0);
    for (let i = 0; i < reason.length; i++) this.number(reason.charCodeAt(i));
  }

  equals({ length, tags, values }: Transcript): boolean {
    if (length !== this.length) return false;
    // What differs does so late, more often than not: stores and leaves come behind what all states have.
    for (let i = length - 1; i >= 0; i--) {
      if (values[i] !== this.values[i] || tags[i] !== this.tags[i]) return false;
    }
    return true;
  }

  fact(kind: number): void {
    this.put(WORD.fact, kind);
  }

  slotFact(kind: number, slot: Slot): void {
    this.put(WORD.slotFact + slot, kind);
  }

  number(value: number): void {
    this.put(WORD.number, value);
  }

  flag(value: boolean): void {
    this.put(WORD.number, value ? 1 : 0);
  }

  page(page: number): void {
    this.put(WORD.page, page);
  }

  entry({ low, high }: GuestEntry): void {
    if (low !== 0) this.put(WORD.page, low >>> 12);
    this.put(WORD.number, low & 0xfff);
    this.put(WORD.number, high);
  }

  address(address: Paddr): void {
    this.put(WORD.address, address);
  }

  cpu(cpu: number): void {
    this.put(WORD.cpu, cpu);
  }

  private put(tag: number, value: number): void {
    if (this.length === this.tags.length) this.grow();
    this.tags[this.length] = tag;
    this.values[this.length++] = value;
  }

  private grow(): void {
    const { tags, values } = this;
    this.tags = new Uint8Array(2 * tags.length);
    this.tags.set(tags);
    this.values = new Int32Array(2 * values.length);
    this.values.set(values);
  }
}
