/** Programs without any arrangement, whose steps hardly ever meet: the baseline that the arranged ones must beat. */

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

export const uniformProgram: fc.Arbitrary<Program> = anyMachine.chain((machine) =>
  anySteps(machine).map((steps): Program => ({ machine, steps })),
);
