/** References on guest pages: each present shadow leaf holds one on the page it maps (machine.md 1, Host pages). */

import { FACT } from './facts.js';
import type { AccessKind, Pfn, Protection, ReferenceChange, StateSink } from './vocabulary/index.js';

const NO_CHANGES: readonly ReferenceChange[] = Object.freeze([]);

const byPage = (one: ReferenceChange, other: ReferenceChange): number => one.page - other.page;

export class GuestReferences {
  /** Pages that hold references; never 0. */
  private readonly counts = new Map<Pfn, number>();
  /** The count at the beginning of the step, of each page whose count was touched in it. */
  private readonly countsBefore = new Map<Pfn, number>();
  /** The Launcher's own mappings; a page that is not listed may be written. */
  private readonly protections = new Map<Pfn, Protection>();

  /** What taking a page may ask for from now on; references already taken stay. */
  protect(page: Pfn, access: Protection): void {
    this.protections.set(page, access);
  }

  /** Takes a reference, for reading or for writing. Answers false if the Launcher's mapping does not allow that. */
  take(page: Pfn, purpose: AccessKind): boolean {
    const protection = this.protections.get(page) ?? 'write';
    if (protection === 'none' || (purpose === 'write' && protection === 'read')) return false;
    this.setCount(page, this.count(page) + 1);
    return true;
  }

  putBack(page: Pfn): void {
    const count = this.count(page);
    if (count === 0) throw new Error(`the model put back a reference on page ${page} that it never took`);
    this.setCount(page, count - 1);
  }

  /** Pages whose count differs from what it was when last asked, ascending. */
  takeChanges(): readonly ReferenceChange[] {
    if (this.countsBefore.size === 0) return NO_CHANGES;
    const changes: ReferenceChange[] = [];
    for (const [page, before] of this.countsBefore) {
      const count = this.count(page);
      if (count !== before) changes.push({ page, count });
    }
    this.countsBefore.clear();
    return changes.sort(byPage);
  }

  /** Every page that holds references, ascending. */
  held(): readonly ReferenceChange[] {
    const held: ReferenceChange[] = [];
    for (const [page, count] of this.counts) held.push({ page, count });
    return held.sort(byPage);
  }

  /** The Launcher's mappings. The counts are those of the leaves. */
  tellState(sink: StateSink): void {
    for (const [page, protection] of this.protections) {
      if (protection === 'write') continue;
      sink.fact(FACT.protection);
      sink.page(page);
      sink.flag(protection === 'read');
    }
  }

  private count(page: Pfn): number {
    return this.counts.get(page) ?? 0;
  }

  private setCount(page: Pfn, count: number): void {
    if (!this.countsBefore.has(page)) this.countsBefore.set(page, this.count(page));
    if (count === 0) this.counts.delete(page);
    else this.counts.set(page, count);
  }
}
