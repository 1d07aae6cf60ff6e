/**
 * Host pages for shadow tables, and their allocator (machine.md 1, "Host pages").
 *
 * Beside its words, a table has a bitmap of the populated ones: one bit for each entry, and one bit in a summary word for
 * every 32 entries. Emptying or reading a table therefore costs what is in it. A table must be empty when it is freed, so a
 * table need not be cleared when it is allocated.
 */

import type { HostBugCause } from '../model/vocabulary/index.js';
import { NO_FRAME, TABLE_FRAME } from './shadow-entry.js';

/**
 * The hypervisor itself broke: it dropped a reference that it did not hold, freed a table twice, or followed a pointer to
 * memory that is not its own. Thrown, because an invariant of our own code is broken; the machine answers `host-bug`.
 */
export class HostBug extends Error {
  readonly kind: HostBugCause;

  constructor(message: string, kind: HostBugCause = 'other') {
    super(message);
    this.kind = kind;
  }
}

/** Index of the lowest set bit; `bits` is not 0. */
export const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);

/** Words of a table; PAE uses the first 512. */
export const TABLE_WORDS = 1024;
const GROUPS = TABLE_WORDS / 32;
const FIRST_TABLES = 16;

export class HostMemory {
  /** The entries of all tables; table t begins at t · 1024. Replaced when the memory grows. */
  words = new Uint32Array(FIRST_TABLES * TABLE_WORDS);
  private populated = new Int32Array(FIRST_TABLES * GROUPS);
  private summary = new Int32Array(FIRST_TABLES);
  private allocated = new Uint8Array(FIRST_TABLES);
  private freeList = new Int32Array(FIRST_TABLES);
  private freeCount = 0;
  /** Tables that were ever allocated; the rest of the memory is untouched. */
  private used = 0;
  /** Entries of a table below the root in this paging mode. */
  private tableEntries = TABLE_WORDS;
  /** The next `succeeding` allocations succeed, then `failing` of them fail. */
  succeeding = 0;
  failing = 0;

  tableCount = 0;
  /** Grows with every allocation and release. */
  tableVersion = 0;
  /** Grows with every entry written. */
  entryVersion = 0;

  /** Forgets every table, also after a run that broke. */
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

  /** An empty table, or `NO_FRAME` when the allocation fails. */
  allocate(): number {
    if (this.allocationFails()) return NO_FRAME;
    const table = this.freeCount > 0 ? this.freeList[--this.freeCount] : this.nextNewTable();
    this.allocated[table] = 1;
    this.tableCount++;
    this.tableVersion++;
    return TABLE_FRAME + table;
  }

  /** Frees a table. Throws `HostBug` if it is not allocated. */
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

  /** The offset in `words` at which a table begins. Throws `HostBug` for a page that is not an allocated table. */
  baseOf(frame: number): number {
    const table = frame - TABLE_FRAME;
    if (this.allocated[table] !== 1) this.strayTable(frame);
    return table * TABLE_WORDS;
  }

  /** The offset of an entry in `words`. Throws `HostBug` also for an index past the table's end. */
  offsetOf(frame: number, index: number): number {
    if (index >= this.tableEntries) this.strayAccess(frame, index);
    return this.baseOf(frame) + index;
  }

  /** Writes an entry; `EMPTY` removes it. */
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

  /** Removes every entry of a table and puts their words into `drained`, in the order of their indexes. Returns their number. */
  drain(frame: number, drained: Uint32Array): number {
    const table = this.tableOf(frame);
    let count = 0;
    for (let groups = this.summary[table]; groups !== 0; groups &= groups - 1)
      count = this.drainGroup(table * GROUPS + lowestBit(groups), drained, count);
    this.summary[table] = 0;
    this.entryVersion += count;
    return count;
  }

  private tableOf(frame: number): number {
    return this.baseOf(frame) / TABLE_WORDS;
  }

  /** Marks an entry as populated. The shifts need no masks, because they count modulo 32. */
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

  /** Does nothing for a table that was emptied before, as every sound release does. */
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
