/**
 * Host pages for shadow tables, and the allocator that hands them out (machine.md 1, "Host pages").
 *
 * A table keeps, beside its words, which of them are populated: one bit an entry, and one bit in a summary word for every
 * 32 entries. So whoever empties or reads a table pays for what is in it. A table must be empty when it is freed; that is why
 * a table handed out need not be cleared.
 */

import type { StateSink } from '../model/vocabulary/index.js';
import { FACT } from './facts.js';
import { HostBug } from './host-bug.js';
import { NO_FRAME, TABLE_FRAME } from './frames.js';
import { lowestBit } from './lowest-bit.js';

/** Words of a table; PAE uses the first 512. */
export const TABLE_WORDS = 1024;
const GROUPS = TABLE_WORDS / 32;
const FIRST_TABLES = 16;

export class HostMemory {
  /** All tables' entries; table t begins at t · 1024. */
  words = new Uint32Array(FIRST_TABLES * TABLE_WORDS);
  private populated = new Int32Array(FIRST_TABLES * GROUPS);
  private summary = new Int32Array(FIRST_TABLES);
  private allocated = new Uint8Array(FIRST_TABLES);
  private freeList = new Int32Array(FIRST_TABLES);
  private freeCount = 0;
  /** Tables that were ever handed out; those from here on are new. */
  private used = 0;
  /** Entries of a table below the root in this paging mode. */
  private tableEntries = TABLE_WORDS;
  /** Allocations that still succeed before `failing` counts. */
  private succeeding = 0;
  private failing = 0;

  tableCount = 0;
  /** Grows with every allocation and release. */
  tableVersion = 0;
  /** Grows with every entry written. */
  entryVersion = 0;

  /** Forgets every table, whatever state a broken run left it in. */
  reset(tableEntries: number): void {
    for (let table = 0; table < this.used; table++) this.clearPopulated(table);
    this.allocated.fill(0);
    this.tableCount = 0;
    this.freeCount = 0;
    this.used = 0;
    this.tableEntries = tableEntries;
    this.failAfter(0, 0);
  }

  /** After `succeeding` more allocations, `failing` of them fail. */
  failAfter(succeeding: number, failing: number): void {
    this.succeeding = succeeding;
    this.failing = failing;
  }

  /** A table with no entry populated, or `NO_FRAME` when the allocation fails. */
  allocate(): number {
    if (this.allocationFails()) return NO_FRAME;
    const table = this.freeCount > 0 ? this.freeList[--this.freeCount] : this.nextNewTable();
    this.allocated[table] = 1;
    this.tableCount++;
    this.tableVersion++;
    return TABLE_FRAME + table;
  }

  /** Gives a table back. Throws `HostBug` if it is not handed out. */
  free(frame: number): void {
    const table = this.tableOf(frame);
    this.clearPopulated(table);
    this.allocated[table] = 0;
    this.freeList[this.freeCount++] = table;
    this.tableCount--;
    this.tableVersion++;
  }

  isAllocated(frame: number): boolean {
    return this.allocated[frame - TABLE_FRAME] === 1;
  }

  /** Where a table begins in `words`. Throws `HostBug` for a page that is not a table. */
  baseOf(frame: number): number {
    const table = frame - TABLE_FRAME;
    if (this.allocated[table] !== 1) this.strayTable(frame);
    return table * TABLE_WORDS;
  }

  /** Where an entry of a table lies in `words`. Throws `HostBug` also for an index past the table's end. */
  offsetOf(frame: number, index: number): number {
    if (!this.isAllocated(frame) || index >= this.tableEntries) this.strayAccess(frame, index);
    return this.baseOf(frame) + index;
  }

  /** Writes an entry; 0 takes it away. */
  write(offset: number, word: number): void {
    this.words[offset] = word;
    this.entryVersion++;
    if (word === 0) this.unmark(offset);
    else this.mark(offset);
  }

  /** The first populated index at or above `from`, or 1024 when there is none. */
  nextPopulated(frame: number, from: number): number {
    if (from >= TABLE_WORDS) return TABLE_WORDS;
    const table = this.tableOf(frame);
    const group = from >>> 5;
    const here = this.populated[table * GROUPS + group] & (-1 << (from & 31));
    if (here !== 0) return group * 32 + lowestBit(here);
    const later = group === GROUPS - 1 ? 0 : this.summary[table] & (-1 << (group + 1));
    if (later === 0) return TABLE_WORDS;
    const next = lowestBit(later);
    return next * 32 + lowestBit(this.populated[table * GROUPS + next]);
  }

  /** Takes every entry of a table away, and puts the words into `drained`, by index. Answers how many they are. */
  drain(frame: number, drained: Uint32Array): number {
    const table = this.tableOf(frame);
    let count = 0;
    for (let groups = this.summary[table]; groups !== 0; groups &= groups - 1)
      count = this.drainGroup(table * GROUPS + lowestBit(groups), drained, count);
    this.summary[table] = 0;
    this.entryVersion += count;
    return count;
  }

  /** What allocations are told to do; the tables are told by whoever walks them. */
  tellState(sink: StateSink): void {
    sink.fact(FACT.failures);
    sink.number(this.failing === 0 ? 0 : this.succeeding);
    sink.number(this.failing);
  }

  private tableOf(frame: number): number {
    return this.baseOf(frame) / TABLE_WORDS;
  }

  /** Notes an entry as populated. A shift counts modulo 32. */
  private mark(offset: number): void {
    const group = offset >>> 5;
    this.populated[group] |= 1 << offset;
    this.summary[group >>> 5] |= 1 << group;
  }

  private unmark(offset: number): void {
    const group = offset >>> 5;
    if ((this.populated[group] &= ~(1 << offset)) === 0) this.summary[group >>> 5] &= ~(1 << group);
  }

  private drainGroup(group: number, drained: Uint32Array, already: number): number {
    let count = already;
    for (let bits = this.populated[group]; bits !== 0; bits &= bits - 1) {
      const offset = group * 32 + lowestBit(bits);
      drained[count++] = this.words[offset];
      this.words[offset] = 0;
    }
    this.populated[group] = 0;
    return count;
  }

  private strayTable(frame: number): never {
    throw new HostBug(`host page ${frame} is used as a table and is none`);
  }

  private strayAccess(frame: number, index: number): never {
    throw new HostBug(`stray access to entry ${index} of host page ${frame}`);
  }

  private allocationFails(): boolean {
    if (this.failing === 0) return false;
    if (this.succeeding > 0) {
      this.succeeding--;
      return false;
    }
    this.failing--;
    return true;
  }

  private nextNewTable(): number {
    if (this.used === this.allocated.length) this.grow();
    return this.used++;
  }

  private grow(): void {
    const tables = this.allocated.length * 2;
    this.words = enlarged(this.words, new Uint32Array(tables * TABLE_WORDS));
    this.populated = enlarged(this.populated, new Int32Array(tables * GROUPS));
    this.summary = enlarged(this.summary, new Int32Array(tables));
    this.allocated = enlarged(this.allocated, new Uint8Array(tables));
    this.freeList = enlarged(this.freeList, new Int32Array(tables));
  }

  /** A sound release leaves nothing to clear here. */
  private clearPopulated(table: number): void {
    if (this.summary[table] === 0) return;
    this.words.fill(0, table * TABLE_WORDS, (table + 1) * TABLE_WORDS);
    this.populated.fill(0, table * GROUPS, (table + 1) * GROUPS);
    this.summary[table] = 0;
  }
}

const enlarged = <Words extends Uint32Array | Uint8Array | Int32Array>(from: Words, to: Words): Words => {
  to.set(from);
  return to;
};
