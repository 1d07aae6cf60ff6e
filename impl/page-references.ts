/**
 * References on the pages that shadow leaves map: guest pages and the Switcher's. lguest keeps them with `get_user_pages_fast`,
 * `get_page` and `put_page`; here the count itself notices when it is dropped once too often.
 */

import type { Protection, ReferenceChange, StateSink, SwitcherReferences } from '../model/vocabulary/index.js';
import { MACHINE_BOUNDS, pfn } from '../model/vocabulary/index.js';
import { FACT } from './facts.js';
import {
  GUEST_FRAME,
  SWITCHER_REGISTERS_FRAME,
  SWITCHER_STATE_FRAME,
  SWITCHER_TEXT_FRAME,
  TABLE_FRAME,
} from './frames.js';
import { HostBug } from './host-bug.js';
import { lowestBit } from './lowest-bit.js';

/** A change that is filled in again. */
type Draft = { -readonly [Field in keyof ReferenceChange]: ReferenceChange[Field] };

const PAGES = MACHINE_BOUNDS.guestPages.most;
const GROUPS = PAGES / 32;
/** So many groups share a bit of the summary, which thereby is one word for all pages. */
const GROUPS_A_BIT = GROUPS / 32;
/** Longer lists of changes are rare, and made anew. */
const MOST_REFILLED = 64;
const NO_CHANGES: readonly ReferenceChange[] = Object.freeze([]);
const MAY: Readonly<Record<Protection, number>> = { none: 0, read: 1, write: 2 };

export class PageReferences {
  private readonly counts = new Int32Array(TABLE_FRAME);
  /** All counts together: when this is 0, each of them is. */
  private total = 0;
  private readonly protection = new Uint8Array(PAGES).fill(MAY.write);
  private isProtected = false;
  /** Counts of guest pages as they were last told. */
  private readonly told = new Int32Array(PAGES);
  /** Guest pages whose count was touched since then, a bit for each. */
  private readonly touched = new Int32Array(GROUPS);
  private touchedSummary = 0;
  private readonly changed = new Int32Array(PAGES);
  /** By its length, the list that tells so many changes; each is filled in again. */
  private readonly lists: Draft[][] = [];
  private switcherChanged = true;
  private readonly switcher = { text: 0, state: [0], registers: 0 };

  /** Forgets every reference, whatever a broken run left behind. */
  reset(hostCpus: number): void {
    if (this.total !== 0) {
      this.counts.fill(0);
      this.told.fill(0);
      this.total = 0;
    }
    this.collectChanged();
    if (this.isProtected) this.protection.fill(MAY.write);
    this.isProtected = false;
    this.switcher.state = new Array<number>(hostCpus).fill(0);
    this.switcherChanged = true;
  }

  protect(page: number, access: Protection): void {
    this.protection[page] = MAY[access];
    this.isProtected = true;
  }

  /** Whether the Launcher's mapping lets the hypervisor take a guest page now (machine.md 3, `protect`). */
  mayTake(page: number, forWriting: boolean): boolean {
    return this.protection[page] >= (forWriting ? MAY.write : MAY.read);
  }

  take(frame: number): void {
    this.touch(frame);
    this.counts[frame]++;
    this.total++;
  }

  /** Throws `HostBug` when nobody holds a reference on the frame. */
  drop(frame: number): void {
    if (!(this.counts[frame] > 0))
      throw new HostBug(`a reference on host page ${frame} was dropped and nobody held one`);
    this.touch(frame);
    this.counts[frame]--;
    this.total--;
  }

  /**
   * Guest pages whose count differs from that before the step, by page, and begins the next step. The list is valid until the
   * next call.
   */
  takeChanges(): readonly ReferenceChange[] {
    return this.touchedSummary === 0 ? NO_CHANGES : this.listChanges(this.collectChanged());
  }

  /** Guest pages that hold references, ascending. */
  held(guestPages: number): readonly ReferenceChange[] {
    if (this.total === 0) return NO_CHANGES;
    const held: ReferenceChange[] = [];
    for (let page = 0; page < guestPages; page++) {
      const count = this.counts[GUEST_FRAME + page];
      if (count !== 0) held.push({ page: pfn(page), count });
    }
    return held;
  }

  /** References on the Switcher's pages; the same object at every call. */
  switcherReferences(): SwitcherReferences {
    if (this.switcherChanged) {
      this.switcher.text = this.counts[SWITCHER_TEXT_FRAME]!;
      this.switcher.registers = this.counts[SWITCHER_REGISTERS_FRAME]!;
      const state = this.switcher.state;
      for (let cpu = 0; cpu < state.length; cpu++) state[cpu] = this.counts[SWITCHER_STATE_FRAME + cpu]!;
      this.switcherChanged = false;
    }
    return this.switcher;
  }

  /** The Launcher's mappings of guest pages. */
  tellState(sink: StateSink, guestPages: number): void {
    for (let page = 0; page < guestPages; page++) {
      if (this.protection[page] === MAY.write) continue;
      sink.fact(FACT.protection);
      sink.page(page);
      sink.number(this.protection[page]);
    }
  }

  private touch(frame: number): void {
    if (frame >= SWITCHER_TEXT_FRAME) this.switcherChanged = true;
    else {
      const page = frame - GUEST_FRAME;
      this.touched[page >>> 5] |= 1 << (page & 31);
      this.touchedSummary |= 1 << (page >>> 7);
    }
  }

  /** Puts the pages that changed into `changed`, ascending, and forgets which were touched. Answers how many they are. */
  private collectChanged(): number {
    let count = 0;
    for (let bits = this.touchedSummary; bits !== 0; bits &= bits - 1) {
      const first = lowestBit(bits) * GROUPS_A_BIT;
      for (let group = first; group < first + GROUPS_A_BIT; group++) count = this.collectGroup(group, count);
    }
    this.touchedSummary = 0;
    return count;
  }

  private collectGroup(group: number, collected: number): number {
    let count = collected;
    for (let bits = this.touched[group]; bits !== 0; bits &= bits - 1) {
      const page = group * 32 + lowestBit(bits);
      if (this.counts[GUEST_FRAME + page] === this.told[page]) continue;
      this.told[page] = this.counts[GUEST_FRAME + page];
      this.changed[count++] = page;
    }
    this.touched[group] = 0;
    return count;
  }

  private listChanges(count: number): readonly ReferenceChange[] {
    const list = this.listOf(count);
    for (let i = 0; i < count; i++) {
      const page = this.changed[i];
      list[i].page = pfn(page);
      list[i].count = this.told[page];
    }
    return list;
  }

  private listOf(length: number): Draft[] {
    if (length > MOST_REFILLED) return newList(length);
    return (this.lists[length] ??= newList(length));
  }
}

const newList = (length: number): Draft[] => Array.from({ length }, () => ({ page: pfn(0), count: 0 }));
