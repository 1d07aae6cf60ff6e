/** What the host lends to a guest: pages for shadow tables, and references on guest pages (machine.md 1, Host pages). */

import type { AccessKind, Pfn, Protection, ReferenceChange } from './vocabulary/index.js';

/** The allocator of pages for shadow tables, which can be told to fail. */
export class HostPages {
  /** Pages handed out. */
  held = 0;
  /** Allocations that still succeed before the next `failing` ones fail. */
  succeeding = 0;
  failing = 0;

  /** Makes the `n`-th allocation from now fail, and no other; 0: none. */
  failNth(n: number): void {
    this.succeeding = n - 1;
    this.failing = n === 0 ? 0 : 1;
  }

  /** Makes the next `count` allocations fail, in place of what was left to fail. */
  failNext(count: number): void {
    this.succeeding = 0;
    this.failing = count;
  }

  /** Returns false if there is no page. */
  allocate(): boolean {
    if (this.failing > 0) {
      if (this.succeeding === 0) {
        this.failing -= 1;
        return false;
      }
      this.succeeding -= 1;
    }
    this.held += 1;
    return true;
  }

  free(): void {
    if (this.held === 0) throw new Error('the model freed a host page that it never allocated');
    this.held -= 1;
  }
}

const NO_CHANGES: readonly ReferenceChange[] = Object.freeze([]);

const byPage = (one: ReferenceChange, other: ReferenceChange): number => one.page - other.page;

/** The references on guest pages: each present shadow leaf holds one on the page that it maps. */
export class GuestReferences {
  /** Pages that hold references; never 0. */
  private readonly counts = new Map<Pfn, number>();
  /** For each page whose count was set since the last `takeChanges`, the count before. */
  private readonly countsBefore = new Map<Pfn, number>();
  /** The Launcher's own mappings; the pages that are not listed may be written. */
  readonly protections = new Map<Pfn, Protection>();

  /** Limits what taking a page may ask for from now on; references already taken stay. */
  protect(page: Pfn, access: Protection): void {
    this.protections.set(page, access);
  }

  /** Takes a reference, for reading or for writing. Returns false if the Launcher's mapping does not allow that. */
  take(page: Pfn, purpose: AccessKind): boolean {
    const protection = this.protections.get(page);
    if (protection === 'none' || (purpose === 'write' && protection === 'read')) return false;
    this.setCount(page, this.count(page) + 1);
    return true;
  }

  putBack(page: Pfn): void {
    const count = this.count(page);
    if (count === 0) throw new Error(`the model put back a reference on page ${page} that it never took`);
    this.setCount(page, count - 1);
  }

  /** The pages whose count changed since the last call, ascending. */
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

  private count(page: Pfn): number {
    return this.counts.get(page) ?? 0;
  }

  private setCount(page: Pfn, count: number): void {
    if (!this.countsBefore.has(page)) this.countsBefore.set(page, this.count(page));
    if (count === 0) this.counts.delete(page);
    else this.counts.set(page, count);
  }
}
