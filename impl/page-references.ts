/**
 * References on the pages that shadow leaves map: guest pages and the Switcher's (lguest's `get_user_pages_fast`, `get_page`
 * and `put_page`). Dropping a reference that is not held is a `HostBug`.
 */

import type { Protection, ReferenceChange } from '../model/vocabulary/index.js';
import { MACHINE_BOUNDS, pfn } from '../model/vocabulary/index.js';
import { HostBug, lowestBit } from './host-memory.js';
import {
  GUEST_FRAME,
  SWITCHER_REGISTERS_FRAME,
  SWITCHER_STATE_FRAME,
  SWITCHER_TEXT_FRAME,
  TABLE_FRAME,
} from './shadow-entry.js';

/** A change that is reused from step to step. */
type Draft = { -readonly [Field in keyof ReferenceChange]: ReferenceChange[Field] };

/** Longer lists of changes are rare and not kept for reuse. */
const LONGEST_KEPT = 64;
const NO_CHANGES: readonly ReferenceChange[] = Object.freeze([]);
/** What taking a reference may ask for, in ascending order. */
export const MAY: Readonly<Record<Protection, number>> = { none: 0, read: 1, write: 2 };

export class PageReferences {
  /** References on the Switcher's pages, as `takeChanges` last found them. */
  readonly switcher = { text: 0, state: [0], registers: 0 };

  /** References, by frame. */
  readonly counts = new Int32Array(TABLE_FRAME);
  /** By guest page, what the Launcher's mapping allows: one of `MAY`. */
  readonly protection = new Uint8Array(MACHINE_BOUNDS.guestPages.most).fill(MAY.write);
  /** Counts as `takeChanges` last found them. */
  private readonly reported = new Int32Array(TABLE_FRAME);
  /** The frames whose count was touched since then: a bit for each frame, one for each 32 frames, and one for each 1024. */
  private readonly touched = new Int32Array(Math.ceil(TABLE_FRAME / 32));
  private readonly touchedGroups = new Int32Array(Math.ceil(TABLE_FRAME / 1024));
  private touchedSummary = 0;
  /** The guest frames that `collectChanged` found, ascending; `changedCount` of them are valid. */
  private readonly changed = new Int32Array(MACHINE_BOUNDS.guestPages.most);
  private changedCount = 0;
  /** The elements of every list of changes: a list of n consists of the first n. */
  private readonly drafts: Draft[] = [];
  /** By length, the lists made so far. */
  private readonly lists: Draft[][] = [];

  /** Forgets every reference, also after a run that broke. */
  reset(hostCpus: number): void {
    this.counts.fill(0);
    this.reported.fill(0);
    this.protection.fill(MAY.write);
    this.takeChanges();
    this.switcher.text = 0;
    this.switcher.registers = 0;
    this.switcher.state = new Array<number>(hostCpus).fill(0);
  }

  protect(page: number, access: Protection): void {
    this.protection[page] = MAY[access];
  }

  /** Whether the Launcher's mapping of a guest page lets the hypervisor take it now (machine.md 3, `protect`). */
  mayTake(page: number, forWriting: boolean): boolean {
    return this.protection[page] >= (forWriting ? MAY.write : MAY.read);
  }

  take(frame: number): void {
    this.touch(frame);
    this.counts[frame]++;
  }

  /** Throws `HostBug` if no reference on the frame is held. */
  drop(frame: number): void {
    if (!(this.counts[frame] > 0)) this.overdrawn(frame);
    this.touch(frame);
    this.counts[frame]--;
  }

  /** Ends a step: the guest pages whose count it changed, by page. The list is valid until the next call. */
  takeChanges(): readonly ReferenceChange[] {
    if (this.touchedSummary === 0) return NO_CHANGES;
    this.collectChanged();
    return this.listChanges();
  }

  /** Guest pages that hold references, ascending. */
  held(guestPages: number): readonly ReferenceChange[] {
    const held: ReferenceChange[] = [];
    for (let page = 0; page < guestPages; page++) {
      const count = this.counts[GUEST_FRAME + page];
      if (count !== 0) held.push({ page: pfn(page), count });
    }
    return held;
  }

  /** Marks a frame as touched. The shifts need no masks, because they count modulo 32. */
  private touch(frame: number): void {
    this.touched[frame >>> 5] |= 1 << frame;
    this.touchedGroups[frame >>> 10] |= 1 << (frame >>> 5);
    this.touchedSummary |= 1 << (frame >>> 10);
  }

  private overdrawn(frame: number): never {
    throw new HostBug(`a reference on host page ${frame} was dropped and nobody held one`, 'reference-underflow');
  }

  /** Puts the guest frames that changed into `changed`, and the counts of the others into `switcher`. Clears all marks. */
  private collectChanged(): void {
    this.changedCount = 0;
    for (let bits = this.touchedSummary; bits !== 0; bits &= bits - 1) {
      const word = lowestBit(bits);
      for (let groups = this.touchedGroups[word]; groups !== 0; groups &= groups - 1)
        this.collectGroup(word * 32 + lowestBit(groups));
      this.touchedGroups[word] = 0;
    }
    this.touchedSummary = 0;
  }

  private collectGroup(group: number): void {
    for (let bits = this.touched[group]; bits !== 0; bits &= bits - 1) this.collect(group * 32 + lowestBit(bits));
    this.touched[group] = 0;
  }

  private collect(frame: number): void {
    const count = this.counts[frame];
    if (count === this.reported[frame]) return;
    this.reported[frame] = count;
    if (frame < SWITCHER_TEXT_FRAME) this.changed[this.changedCount++] = frame;
    else this.reportSwitcher(frame, count);
  }

  private reportSwitcher(frame: number, count: number): void {
    if (frame === SWITCHER_TEXT_FRAME) this.switcher.text = count;
    else if (frame === SWITCHER_REGISTERS_FRAME) this.switcher.registers = count;
    else this.switcher.state[frame - SWITCHER_STATE_FRAME] = count;
  }

  private listChanges(): readonly ReferenceChange[] {
    const { drafts, changedCount } = this;
    for (let i = 0; i < changedCount; i++) {
      const draft = (drafts[i] ??= { page: pfn(0), count: 0 });
      draft.page = pfn(this.changed[i] - GUEST_FRAME);
      draft.count = this.reported[this.changed[i]];
    }
    if (changedCount > LONGEST_KEPT) return drafts.slice(0, changedCount);
    return (this.lists[changedCount] ??= drafts.slice(0, changedCount));
  }
}
