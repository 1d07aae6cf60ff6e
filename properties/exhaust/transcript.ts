/**
 * The states of two machines, as the words that `tellState` wrote. Equal transcripts mean equal states, and comparing them is many
 * times cheaper than computing a key: most steps of an exploration change nothing. Different transcripts may still mean equal states,
 * because facts come in no particular order.
 */

import type { GuestEntry, Machine, Paddr, Slot, StateSink } from '../../model/vocabulary/index.js';

/** A machine whose state can be read. */
export type TransparentMachine = Machine & Required<Pick<Machine, 'tellState'>>;

export const isTransparent = (machine: Machine): machine is TransparentMachine => machine.tellState !== undefined;

/** The tag of a word. `slotFact` + n begins a fact about slot n; the value of a fact's first word is its kind. */
export const WORD = { side: 0, number: 1, page: 2, address: 3, cpu: 4, fact: 5, slotFact: 6 } as const;

/** The values of `side` words: they keep one side's facts apart from the other's. */
const SIDES = { reference: 0x10000, subject: 0x20000 } as const;
const FIRST_CAPACITY = 1 << 9;

export class Transcript implements StateSink {
  length = 0;
  /** One of `WORD` for each word. */
  tags = new Uint8Array(FIRST_CAPACITY);
  /** Numbers of up to 32 bits, sign or not. */
  values = new Int32Array(FIRST_CAPACITY);

  /** Records the state of two living machines. */
  take(reference: TransparentMachine, subject: TransparentMachine): void {
    this.length = 0;
    this.put(WORD.side, SIDES.reference);
    reference.tellState(this);
    this.put(WORD.side, SIDES.subject);
    subject.tellState(this);
  }

  /**
   * Records that the guest or its machine has ended, for this reason. All that ended for one reason count as one state: a dead guest
   * only has to stay dead and to give everything back at `destroy`, and `destroy` is judged after every kill.
   */
  takeEnd(reason: string): void {
    this.length = 0;
    this.put(WORD.side, SIDES.reference);
    this.fact(0);
    for (let i = 0; i < reason.length; i++) this.number(reason.charCodeAt(i));
  }

  equals({ length, tags, values }: Transcript): boolean {
    if (length !== this.length) return false;
    // Backwards, because differences are mostly near the end: stores and leaves come after the facts that all states have.
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
