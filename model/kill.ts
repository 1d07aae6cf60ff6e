/** A kill as a value: what a rule answers when it ends the guest (machine.md 3, Kills). */

import type { Outcome } from './vocabulary/index.js';

export type Killed = Extract<Outcome, { kind: 'killed' }>;

export const kill = (reason: string): Killed => ({ kind: 'killed', reason });
