/** Which programs are valid (formats.md, Program), asked of a value that may be anything. */

import fc from 'fast-check';
import type { MachineConfig, Program } from '../../model/vocabulary/index.js';
import { MACHINE_BOUNDS, PAGINGS } from '../../model/vocabulary/index.js';
import { anySteps } from './any-step.js';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const within = ({ least, most }: { readonly least: number; readonly most: number }): fc.Arbitrary<number> =>
  fc.integer({ min: least, max: most });

const anyMachine: fc.Arbitrary<MachineConfig> = fc.record<MachineConfig>(
  {
    paging: fc.constantFrom(...PAGINGS),
    guestPages: within(MACHINE_BOUNDS.guestPages),
    devicePages: within(MACHINE_BOUNDS.devicePages),
    hostCpus: within(MACHINE_BOUNDS.hostCpus),
    draw: u32,
    failAllocation: u32,
  },
  { noNullPrototype: true },
);

export const isProgram = (value: unknown): value is Program => {
  if (typeof value !== 'object' || value === null) return false;
  const { machine, steps } = value as Partial<Program>;
  return anyMachine.canShrinkWithoutContext(machine) && anySteps(machine).canShrinkWithoutContext(steps);
};

/** The same steps on simpler machines, as far as they are valid there. */
export const smallerMachines = ({ machine, steps }: Program): Program[] => {
  const simpler: MachineConfig[] = [];
  if (machine.failAllocation > 0) simpler.push({ ...machine, failAllocation: 0 });
  if (machine.devicePages > 0) simpler.push({ ...machine, devicePages: 0 });
  if (machine.hostCpus > 1) simpler.push({ ...machine, hostCpus: 1 });
  if (machine.hostCpus > 2) simpler.push({ ...machine, hostCpus: 2 });
  if (machine.draw > 3) simpler.push({ ...machine, draw: machine.draw % 4 });
  if (machine.draw > 0) simpler.push({ ...machine, draw: 0 });
  for (let pages = 1; pages < machine.guestPages; pages *= 2) simpler.push({ ...machine, guestPages: pages });
  return simpler
    .map((candidate): Program => ({ machine: candidate, steps }))
    .filter(isProgram);
};
