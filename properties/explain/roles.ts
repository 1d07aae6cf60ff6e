/** What a word of guest RAM is in the guest's tables, so that a store can be told as what it is for. */

import { formatHex } from '../formats/index.js';
import type { Paddr, Program } from '../../model/vocabulary/index.js';
import { paddr } from '../../model/vocabulary/index.js';
import { GuestRecord } from '../guest-record.js';
import { treeOf } from './guest-rows.js';
import { pagingLevels } from './levels.js';
import { WordHistory } from './word-history.js';
import { ZERO_OBSERVATION } from '../zero-observation.js';

/** `PTE for 0x400000 (root 0x1000)`, by the address of the word. */
export type Roles = ReadonlyMap<Paddr, string>;

/** The tables are those of the program's first `count` steps, below every root that the steps name. */
export const rolesOf = ({ machine, steps }: Program, count: number): Roles => {
  const guest = new GuestRecord();
  const history = new WordHistory();
  guest.begin(machine);
  const roots = new Set<Paddr>();
  for (const [index, step] of steps.slice(0, count).entries()) {
    // An entry that is cleared in the end still had its role.
    if (step.op === 'store' && step.value.low % 2 === 0) continue;
    guest.follow(step);
    history.follow(index, step, ZERO_OBSERVATION);
    if ('root' in step) roots.add(step.root);
  }
  const levels = pagingLevels(machine.paging);
  const roles = new Map<Paddr, string>();
  for (const root of roots) {
    const { tables } = treeOf(root, { guest, history, levels, step: undefined, location: undefined }, undefined);
    for (const { level, rows } of tables) {
      for (const row of rows) {
        const at = paddr(Number(row.paddr));
        if (!roles.has(at)) roles.set(at, `${levels[level].name} for ${row.from} (root ${formatHex(root)})`);
      }
    }
  }
  return roles;
};
