/** When a run last reached a new situation, and when it may reach the next: for the line that shows its progress. */

import { rarityOf } from '../../properties/campaign/residual-risk.js';
import type { Tally } from '../../properties/tally.js';
import type { Progress } from '../terminal/progress-display.js';

export class Novelty {
  private reached: number;
  /** Milliseconds of exploring when something new was reached; undefined if that was in a process before this one. */
  private at: number | undefined = undefined;

  /** `tally`: what the run knows when this process begins. */
  constructor(tally: Tally) {
    this.reached = rarityOf(tally.situations.flat()).reached;
  }

  /** `elapsed`: milliseconds of exploring. */
  look(tally: Tally, elapsed: number): NonNullable<Progress['novelty']> {
    const { reached, once } = rarityOf(tally.situations.flat());
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
