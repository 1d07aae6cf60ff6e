/** Every group, in the order of the report. */

import type { Group } from '../measurement.js';
import { access } from './access.js';
import { calls, growth } from './hypercalls.js';
import { invariants, loop, memory } from './loop.js';
import { machines } from './machines.js';
import { metal } from './metal.js';
import { start, workers } from './processes.js';
import { shrinking } from './shrinking.js';
import { subjects } from './subjects.js';

export const GROUPS: readonly Group[] = [
  machines,
  access,
  calls,
  growth,
  loop,
  invariants,
  workers,
  subjects,
  metal,
  start,
  shrinking,
  memory,
];

export const groupNamed = (name: string): Group | undefined => GROUPS.find((group) => group.name === name);
