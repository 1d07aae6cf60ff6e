/**
 * The registry of small machines: so small that all their states can be visited. Each has an alphabet of steps, and a variant for each
 * paging mode and each place where the kernel half may begin.
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
