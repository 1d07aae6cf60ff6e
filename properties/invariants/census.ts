/** Counting the leaves of the slots before a step, so that it can be told afterwards what went and what stayed. */

import type { ShadowLeaf, ShadowView, Slot } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';

/** Leaves of each slot inside and outside one range of addresses; the Switcher's are left out. */
export class Census {
  readonly inside = new Float64Array(SLOTS);
  readonly outside = new Float64Array(SLOTS);
  private slot = 0;
  private from = 0;
  private to = 0;
  private top = 0;

  /** Counts every slot's leaves in [from, to) and elsewhere below `top`. */
  take(shadow: ShadowView, from: number, to: number, top: number): void {
    this.from = from;
    this.to = to;
    this.top = top;
    this.inside.fill(0);
    this.outside.fill(0);
    for (this.slot = 0; this.slot < SLOTS; this.slot++) shadow.forEachLeaf(this.slot as Slot, this.count);
  }

  private readonly count = (leaf: ShadowLeaf): void => {
    if (leaf.vaddr >= this.top) return;
    const counter = leaf.vaddr >= this.from && leaf.vaddr < this.to ? this.inside : this.outside;
    counter[this.slot]++;
  };
}
