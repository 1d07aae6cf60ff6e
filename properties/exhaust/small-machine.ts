/**
 * Machines so small that all their states can be visited, and for each one the steps that may be taken: its alphabet. There is
 * one of each name for each paging mode and for each place where the kernel may begin.
 */

import type { Paging } from '../../model/vocabulary/index.js';
import { pair, tiny } from './machines/closed.js';
import type { Kernel, SmallMachine } from './machines/layout.js';
import { small } from './machines/small.js';
import { values } from './machines/values.js';

const MACHINES = { small, values, tiny, pair } as const;

export type SmallMachineName = keyof typeof MACHINES;
export const SMALL_MACHINES = Object.keys(MACHINES) as readonly SmallMachineName[];

export const smallMachine = (name: SmallMachineName, paging: Paging, kernel: Kernel): SmallMachine =>
  MACHINES[name](paging, kernel);
