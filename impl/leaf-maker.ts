/** Makes a shadow leaf of a guest's entry, and takes the page that it maps (`gpte_to_spte`, `get_pfn`). */

import { KILL } from '../model/vocabulary/index.js';
import { GUEST_FRAME } from './frames.js';
import type { GuestState } from './guest-state.js';
import type { PageReferences } from './page-references.js';
import { DIRTY, LEAF_FLAGS, WRITABLE, packed } from './shadow-entry.js';

const DIRTY_AND_WRITABLE = DIRTY | WRITABLE;

export class LeafMaker {
  /** What the last `take` made. */
  word = 0;

  private readonly guest: GuestState;
  private readonly references: PageReferences;

  constructor(guest: GuestState, references: PageReferences) {
    this.guest = guest;
    this.references = references;
  }

  /**
   * Takes the page that an entry names, and leaves the leaf for it in `word`. False, and the guest is killed, when the
   * Launcher's mapping of the page forbids it. `low`: lower half of an entry that is known to name RAM.
   */
  take(low: number): boolean {
    const page = low >>> 12;
    if (!this.references.mayTake(page, this.needsWriting(low))) {
      this.guest.kill(KILL.pageRefused(page));
      return false;
    }
    this.references.take(GUEST_FRAME + page);
    this.word = packed(GUEST_FRAME + page, this.flagsOf(low));
    return true;
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
