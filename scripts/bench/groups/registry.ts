/** Every group, in the order of the report. */

import { access } from './access.js';
import { calls } from './calls.js';
import type { Group } from './group.js';
import { growth } from './growth.js';
import { invariants, loop } from './loop.js';
import { machines } from './machines.js';
import { memory } from './memory.js';
import { shrinking } from './shrinking.js';
import { start } from './start.js';
import { workers } from './workers.js';

export const GROUPS: readonly Group[] = [
  machines,
  access,
  calls,
  growth,
  loop,
  invariants,
  workers,
  start,
  shrinking,
  memory,
];

export const groupNamed = (name: string): Group | undefined => GROUPS.find((group) => group.name === name);
