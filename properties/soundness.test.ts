/** The optimized machine does what the model does: the property that the whole harness is there for, as fast-check has it. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShadowMachine } from '../impl/shadow-machine.js';
import { formatTrace } from './formats/index.js';
import { ReferenceMachine } from '../model/machine.js';
import { PAGINGS } from '../model/vocabulary/index.js';
import { TRAFFICS, programArbitrary, uniformProgram } from './generators/index.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Lockstep } from './lockstep.js';
import { traceOf } from './trace-of.js';

const reference = new ReferenceMachine();
const subject = new ShadowMachine();
const lockstep = new Lockstep({ reference, subject, invariants: INVARIANTS });
const combinations = PAGINGS.flatMap((paging) => TRAFFICS.map((traffic) => ({ paging, traffic })));

describe.each(combinations)('in $paging paging, $traffic guests', (options) => {
  test('break no invariant in lockstep', () => {
    fc.assert(
      fc.property(
        programArbitrary(options),
        ({ program, traffic }) => lockstep.run(program, traffic === 'coherent') === undefined,
      ),
      { seed: 1991, numRuns: 300 },
    );
  });

  test('get the same trace from both machines, to the byte', () => {
    fc.assert(
      fc.property(programArbitrary({ ...options, mostSteps: 96 }), ({ program }) => {
        expect(formatTrace(traceOf(subject, program))).toBe(formatTrace(traceOf(reference, program)));
      }),
      { seed: 2007, numRuns: 150 },
    );
  });
});

test('programs of evenly drawn steps, as fast-check shrinks them, break no invariant either', () => {
  fc.assert(
    fc.property(uniformProgram, (program) => lockstep.run(program, false) === undefined),
    { seed: 1994, numRuns: 200 },
  );
});
