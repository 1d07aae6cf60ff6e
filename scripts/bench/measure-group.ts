/** A process that measures one group and answers with its figures. */

import { groupNamed } from './groups/index.js';
import type { Budget, Figure } from './measurement.js';

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
