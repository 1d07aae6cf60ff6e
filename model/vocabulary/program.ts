import type { MachineConfig } from './machine.js';
import type { Step } from './step.js';

/** A machine and what is done to it: all that a run depends on. */
export interface Program {
  readonly machine: MachineConfig;
  readonly steps: readonly Step[];
}
