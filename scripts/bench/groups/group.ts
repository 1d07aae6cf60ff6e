/** Workloads that are measured together, in a process of their own, so that no other group's code is compiled into theirs. */

import type { Figure } from '../figures.js';
import type { Budget } from '../rounds.js';

export interface Group {
  readonly name: string;
  readonly title: string;
  readonly measure: (budget: Budget) => Promise<readonly Figure[]>;
}
