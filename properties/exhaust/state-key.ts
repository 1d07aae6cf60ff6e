/**
 * The key of a state: a 64-bit hash of the facts that both machines reveal (`StateSink`). Facts come in no particular order, so the key
 * is a sum over the facts' hashes.
 *
 * States with equal keys are taken for one. The probability that n states contain such a collision is about n² / 2⁶⁵: for ten million,
 * one in four hundred thousand.
 *
 * Symmetries. A correct hypervisor does not care about names, so states that differ in names alone are folded into one:
 *
 *   slots       Nothing in machine.md depends on a slot's number but `draw % 4`, and every draw is in the alphabet. At most
 *               one slot shadows a root, so "the lowest slot" that does names it. A slot's facts therefore omit its number, and
 *               the key is a sum over slots.
 *   data pages  Two pages that hold data, and that the alphabet names in the same ways, may change places.
 *   roots       Two roots, likewise: their addresses, which are also where the alphabet's only store to each goes. Leaves of linear
 *               mode may map a root's page and are not renamed: in linear mode the hypervisor does not read that word.
 *   host CPUs   Two CPUs, likewise.
 *
 * The last three are `Swap`s: the key is the smallest over all ways to swap or not.
 */

import { SLOTS } from '../../model/vocabulary/index.js';
import type { Transcript } from './transcript.js';
import { WORD } from './transcript.js';

/** Two things that may change places. */
export interface Swap {
  readonly of: 'page' | 'address' | 'cpu';
  readonly one: number;
  readonly other: number;
}

/** `names`: states that differ in names are one. `nothing`: only states with the same facts are. */
export const FOLDINGS = ['names', 'nothing'] as const;
export type Folding = (typeof FOLDINGS)[number];

/** Sums are kept for each slot and, behind them, for the machine. */
const SUMS = SLOTS + 1;
const MACHINE = SLOTS;
const FIRST = 0x9e3779b1;
const SECOND = 0x85ebca6b;
const SALT = 0x27d4eb2f;

export class StateKey {
  /** The key, as two halves of 32 bits. */
  low = 0;
  high = 0;
  /** The key of the same state with nothing folded. */
  exactLow = 0;
  exactHigh = 0;

  private readonly folding: Folding;
  /** Swap number i is made in the lanes whose bit i is set; lane 0 renames nothing. */
  private readonly swaps: readonly Swap[];
  private readonly lanes: number;
  /** The hash of the current fact, for each lane. */
  private readonly factLow: Int32Array;
  private readonly factHigh: Int32Array;
  /** For each lane, sums of the facts about each slot and about the machine. The last lane has the facts that no swap concerns. */
  private readonly sumLow: Int32Array;
  private readonly sumHigh: Int32Array;
  /** The lanes differ in the current fact. */
  private parted = false;
  private about: number = MACHINE;
  private side = 0;
  private begun = false;

  constructor(swaps: readonly Swap[], folding: Folding) {
    this.folding = folding;
    this.swaps = folding === 'names' ? swaps : [];
    this.lanes = 2 ** this.swaps.length;
    this.factLow = new Int32Array(this.lanes);
    this.factHigh = new Int32Array(this.lanes);
    this.sumLow = new Int32Array((this.lanes + 1) * SUMS);
    this.sumHigh = new Int32Array((this.lanes + 1) * SUMS);
  }

  /** Computes the key of a transcript. */
  read({ length, tags, values }: Transcript): void {
    this.begin();
    for (let i = 0; i < length; i++) this.readWord(tags[i], values[i]);
    this.finish();
  }

  /** Whether two slots have the same facts: then they are interchangeable in this state. */
  alike(one: number, other: number): boolean {
    const shared = this.lanes * SUMS;
    return (
      this.sumLow[one] === this.sumLow[other] &&
      this.sumHigh[one] === this.sumHigh[other] &&
      this.sumLow[shared + one] === this.sumLow[shared + other] &&
      this.sumHigh[shared + one] === this.sumHigh[shared + other]
    );
  }

  private readWord(tag: number, value: number): void {
    switch (tag) {
      case WORD.side:
        this.endFact();
        this.side = value;
        return;
      case WORD.number:
        return this.number(value);
      case WORD.page:
        return this.named('page', value);
      case WORD.address:
        return this.named('address', value);
      case WORD.cpu:
        return this.named('cpu', value);
      case WORD.fact:
        return this.startFact(value, MACHINE);
      default:
        return this.startFact(value, tag - WORD.slotFact);
    }
  }

  private number(value: number): void {
    if (!this.parted) return this.put(0, value);
    for (let lane = 0; lane < this.lanes; lane++) this.put(lane, value);
  }

  private begin(): void {
    this.sumLow.fill(0);
    this.sumHigh.fill(0);
    this.exactLow = this.exactHigh = 0;
    this.begun = false;
  }

  private finish(): void {
    this.endFact();
    if (this.folding === 'nothing') {
      this.low = this.exactLow >>> 0;
      this.high = this.exactHigh >>> 0;
      return;
    }
    this.low = this.high = 0xffffffff;
    for (let lane = 0; lane < this.lanes; lane++) this.offer(lane);
  }

  private startFact(kind: number, about: number): void {
    this.endFact();
    this.begun = true;
    this.parted = false;
    this.about = about;
    this.factLow[0] = this.side + kind;
    this.factHigh[0] = this.side - kind;
  }

  private named(of: Swap['of'], name: number): void {
    for (let i = 0; i < this.swaps.length; i++) {
      const { of: swapped, one, other } = this.swaps[i];
      if (swapped !== of) continue;
      if (name === one) return this.putSwapped(1 << i, one, other);
      if (name === other) return this.putSwapped(1 << i, other, one);
    }
    this.number(name);
  }

  private putSwapped(bit: number, name: number, otherName: number): void {
    this.part();
    for (let lane = 0; lane < this.lanes; lane++) this.put(lane, (lane & bit) === 0 ? name : otherName);
  }

  private part(): void {
    if (this.parted) return;
    this.parted = true;
    this.factLow.fill(this.factLow[0]);
    this.factHigh.fill(this.factHigh[0]);
  }

  private put(lane: number, value: number): void {
    const low = Math.imul(this.factLow[lane] ^ value, FIRST);
    const high = Math.imul(this.factHigh[lane] + value, SECOND);
    this.factLow[lane] = low ^ (low >>> 15);
    this.factHigh[lane] = high ^ (high >>> 13);
  }

  private endFact(): void {
    if (!this.begun) return;
    this.begun = false;
    this.addExact(mixed(this.factLow[0]), mixed(this.factHigh[0]));
    if (!this.parted) return this.add(this.lanes, 0);
    for (let lane = 0; lane < this.lanes; lane++) this.add(lane, lane);
  }

  private add(to: number, lane: number): void {
    this.sumLow[to * SUMS + this.about] += mixed(this.factLow[lane]);
    this.sumHigh[to * SUMS + this.about] += mixed(this.factHigh[lane]);
  }

  private addExact(low: number, high: number): void {
    const salt = Math.imul(this.about + 1, SALT);
    this.exactLow = (this.exactLow + mixed(low ^ salt)) | 0;
    this.exactHigh = (this.exactHigh + mixed(high + salt)) | 0;
  }

  private offer(lane: number): void {
    const [own, shared] = [lane * SUMS, this.lanes * SUMS];
    let low = this.sumLow[own + MACHINE] + this.sumLow[shared + MACHINE];
    let high = this.sumHigh[own + MACHINE] + this.sumHigh[shared + MACHINE];
    for (let slot = 0; slot < SLOTS; slot++) {
      low += mixed((this.sumLow[own + slot] + this.sumLow[shared + slot]) ^ SALT);
      high += mixed(this.sumHigh[own + slot] + this.sumHigh[shared + slot] + SALT);
    }
    low >>>= 0;
    high >>>= 0;
    if (high > this.high || (high === this.high && low >= this.low)) return;
    this.low = low;
    this.high = high;
  }
}

/** MurmurHash3's finalizer: every input bit affects half of the output bits. */
const mixed = (hash: number): number => {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
};
