/** Makes a shadow leaf from a guest's entry and takes the page that it maps (`gpte_to_spte`, `get_pfn`). */

import { KILL } from '../model/vocabulary/index.js';
import type { GuestState } from './guest-state.js';
import type { PageReferences } from './page-references.js';
import { DIRTY, EMPTY, GUEST_FRAME, LEAF_FLAGS, WRITABLE, packed } from './shadow-entry.js';

const DIRTY_AND_WRITABLE = DIRTY | WRITABLE;

export class LeafMaker {
  private readonly guest: GuestState;
  private readonly references: PageReferences;

  constructor(parts: { guest: GuestState; references: PageReferences }) {
    this.guest = parts.guest;
    this.references = parts.references;
  }

  /**
   * The leaf for an entry, with a reference taken on its page. Returns `EMPTY` and kills the guest if the Launcher's mapping
   * of the page forbids it. `low`: lower half of an entry that names RAM.
   */
  make(low: number): number {
    const page = low >>> 12;
    if (!this.references.mayTake(page, this.needsWriting(low))) {
      this.guest.kill(KILL.pageRefused(page));
      return EMPTY;
    }
    this.references.take(GUEST_FRAME + page);
    return packed(GUEST_FRAME + page, this.flagsOf(low));
  }

  /** The page is taken for writing only if the leaf will be writable. */
  needsWriting(low: number): boolean {
    return (low & DIRTY_AND_WRITABLE) === DIRTY_AND_WRITABLE;
  }

  /** RW waits for D: the first write must fault, so that the guest sees its D bit set. */
  flagsOf(low: number): number {
    const flags = low & LEAF_FLAGS;
    return (low & DIRTY) === 0 ? flags & ~WRITABLE : flags;
  }
}
