/** When a run last reached something new, and when it may reach the next: for the line that shows its progress. */

import type { Rarity } from '../../properties/campaign/residual-risk.js';
import type { Novelty } from '../terminal/progress-display.js';

export class NoveltyClock {
  private reached: number;
  /** Milliseconds of exploring when something new was reached; undefined if that was in a process before this one. */
  private at: number | undefined = undefined;

  /** What the run has reached when this process begins. */
  constructor({ reached }: Rarity) {
    this.reached = reached;
  }

  /** `elapsed`: milliseconds of exploring. */
  look({ reached, once }: Rarity, elapsed: number): Novelty {
    if (reached > this.reached) {
      this.reached = reached;
      this.at = elapsed;
    }
    return {
      ...(this.at === undefined ? {} : { since: elapsed - this.at }),
      ...(once === 0 ? {} : { next: elapsed / once }),
    };
  }
}
