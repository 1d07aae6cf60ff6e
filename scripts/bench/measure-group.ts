/** The process that measures one group: told which and how much, it answers with the figures. */

import type { Figure } from './figures.js';
import { groupNamed } from './groups/registry.js';
import type { Budget } from './rounds.js';

export interface Order {
  readonly group: string;
  readonly budget: Budget;
}
export type Answer = readonly Figure[];

process.once('message', (order: Order) => {
  void answer(order);
});

const answer = async ({ group, budget }: Order): Promise<void> => {
  const found = groupNamed(group);
  if (found === undefined) throw new Error(`there is no group ${group}`);
  process.send!((await found.measure(budget)) satisfies Answer, () => process.disconnect());
};
