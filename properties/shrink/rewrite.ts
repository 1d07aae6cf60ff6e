/** Programs with something changed everywhere at once. */

import type { GuestEntry, MachineConfig, Program, Step, Vaddr } from '../../model/vocabulary/index.js';

export const withMachine = ({ machine, steps }: Program, change: Partial<MachineConfig>): Program => ({
  machine: { ...machine, ...change },
  steps,
});

export const withStep = ({ machine, steps }: Program, index: number, step: Step): Program => ({
  machine,
  steps: steps.with(index, step),
});

export const mapSteps = ({ machine, steps }: Program, change: (step: Step) => Step): Program => ({
  machine,
  steps: steps.map(change),
});

/** Every entry that is stored or announced. */
export const mapEntries = (step: Step, change: (entry: GuestEntry) => GuestEntry): Step => {
  if (step.op === 'store') return { ...step, value: change(step.value) };
  return step.op === 'set-pte' ? { ...step, pte: change(step.pte) } : step;
};

/** Every virtual address but those of `init` and `set-stack`, which are borders rather than places. */
export const mapVaddrs = (step: Step, change: (address: Vaddr) => Vaddr): Step =>
  step.op === 'access' || step.op === 'guest-pa' || step.op === 'set-pte'
    ? { ...step, vaddr: change(step.vaddr) }
    : step;
