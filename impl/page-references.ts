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

const NO_CHANGES: readonly ReferenceChange[] = Object.freeze([]);
const MAY: Readonly<Record<Protection, number>> = { none: 0, read: 1, write: 2 };

export class PageReferences {
  private readonly counts = new Int32Array(TABLE_FRAME);
  private readonly protection = new Uint8Array(MACHINE_BOUNDS.guestPages.most);
  /** Guest frames whose count was touched in this step, and what it was before. */
  private readonly touched = new Int32Array(MACHINE_BOUNDS.guestPages.most);
  private readonly isTouched = new Uint8Array(SWITCHER_TEXT_FRAME);
  private readonly before = new Int32Array(SWITCHER_TEXT_FRAME);
  private touchedCount = 0;
  private switcherChanged = true;
  private readonly switcher = { text: 0, state: [0], registers: 0 };

  /** Forgets every reference, whatever a broken run left behind. */
  reset(hostCpus: number): void {
    this.counts.fill(0);
    this.settle();
    this.protection.fill(MAY.write);
    this.switcher.state = new Array<number>(hostCpus).fill(0);
    this.switcherChanged = true;
  }

  protect(page: number, access: Protection): void {
    this.protection[page] = MAY[access];
  }

  /** Whether the Launcher's mapping lets the hypervisor take a guest page now (machine.md 3, `protect`). */
  mayTake(page: number, forWriting: boolean): boolean {
    return this.protection[page] >= (forWriting ? MAY.write : MAY.read);
  }

  take(frame: number): void {
    this.touch(frame);
    this.counts[frame]++;
  }

  /** Throws `HostBug` when nobody holds a reference on the frame. */
  drop(frame: number): void {
    if (!(this.counts[frame] > 0))
      throw new HostBug(`a reference on host page ${frame} was dropped and nobody held one`);
    this.touch(frame);
    this.counts[frame]--;
  }

  /** Guest pages whose count differs from that before the step, and begins the next step. */
  takeChanges(): readonly ReferenceChange[] {
    if (this.touchedCount === 0) return NO_CHANGES;
    if (this.touchedCount > 1) this.touched.subarray(0, this.touchedCount).sort();
    const changes: ReferenceChange[] = [];
    for (let i = 0; i < this.touchedCount; i++) {
      const frame = this.touched[i];
      const count = this.counts[frame];
      if (count !== this.before[frame]) changes.push({ page: pfn(frame - GUEST_FRAME), count });
    }
    this.settle();
    return changes.length === 0 ? NO_CHANGES : changes;
  }

  /** Guest pages that hold references, ascending. */
  held(guestPages: number): readonly ReferenceChange[] {
    this.settle();
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
    if (frame >= SWITCHER_TEXT_FRAME) {
      this.switcherChanged = true;
    } else if (this.isTouched[frame] === 0) {
      this.isTouched[frame] = 1;
      this.before[frame] = this.counts[frame]!;
      this.touched[this.touchedCount++] = frame;
    }
  }

  private settle(): void {
    for (let i = 0; i < this.touchedCount; i++) this.isTouched[this.touched[i]] = 0;
    this.touchedCount = 0;
  }
}
