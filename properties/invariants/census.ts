/** Counting the leaves of the slots before a step, so that it can be told afterwards what went and what stayed. */

import type { ShadowView, Slot } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';

/** Leaves of each slot inside and outside one range of addresses; the Switcher's are left out. */
export class Census {
  readonly inside = new Float64Array(SLOTS);
  readonly outside = new Float64Array(SLOTS);

  /** Counts every slot's leaves in [from, to) and elsewhere below `top`. */
  take(shadow: ShadowView, from: number, to: number, top: number): void {
    const end = Math.min(to, top);
    for (let index = 0; index < SLOTS; index++) {
      const slot = index as Slot;
      this.inside[slot] = shadow.leafCountIn(slot, from, end);
      this.outside[slot] = shadow.leafCountIn(slot, 0, from) + shadow.leafCountIn(slot, end, top);
    }
  }
}
