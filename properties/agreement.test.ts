/** The idea of the harness as properties of fast-check: on any program, the naive model and the optimized machine agree. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShadowMachine } from '../impl/shadow-machine.js';
import { ReferenceMachine } from '../model/machine.js';
import type { Observation } from '../model/vocabulary/index.js';
import { PAGINGS, bareOutcome } from '../model/vocabulary/index.js';
import { formatTrace } from './formats/index.js';
import type { Case } from './generators/index.js';
import { LGUEST_TRAFFICS, programArbitrary, uniformProgram } from './generators/index.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Lockstep } from './lockstep.js';
import { traceOf } from './trace-of.js';

const model = new ReferenceMachine();
const impl = new ShadowMachine();
const lockstep = new Lockstep({ model: model, subject: impl, invariants: INVARIANTS });

/** Where an access or a question of the host led, or the fault that the guest got instead. */
const translation = ({ outcome }: Observation): unknown => (outcome.kind === 'killed' ? undefined : outcome);
/** The guest pages whose reference counts changed; of a killed step they are not compared. */
const references = (seen: Observation): unknown => (bareOutcome(seen.outcome.kind) ? undefined : seen.references);
/** Whether the step killed the guest, and why. */
const killDecision = ({ outcome }: Observation): unknown => (outcome.kind === 'killed' ? outcome.reason : undefined);

const guests = LGUEST_TRAFFICS.flatMap((traffic) => PAGINGS.map((paging) => ({ traffic, paging })));

describe.each(guests)('$traffic guests, $paging paging', (guest) => {
  const programs = programArbitrary(guest);

  test.each([
    ['translations', translation],
    ['page references', references],
    ['kill decisions', killDecision],
  ] as const)('%s are identical after every step', (_, seen) => {
    const agrees = fc.property(programs, ({ program }) => {
      expect(traceOf(impl, program).steps.map(seen)).toEqual(traceOf(model, program).steps.map(seen));
    });
    fc.assert(agrees, { seed: 1991, numRuns: 150 });
  });

  test('the whole trace is identical, to the byte', () => {
    const agrees = fc.property(programs, ({ program }) => {
      expect(formatTrace(traceOf(impl, program))).toBe(formatTrace(traceOf(model, program)));
    });
    fc.assert(agrees, { seed: 2007, numRuns: 150 });
  });

  test('every invariant holds in lockstep', () => {
    const holds = ({ traffic, program }: Case) => lockstep.run(program, traffic === 'coherent') === undefined;
    fc.assert(fc.property(programs, holds), { seed: 1991, numRuns: 300 });
  });
});

test('every invariant holds for steps drawn evenly, which fast-check shrinks by itself', () => {
  const holds = fc.property(uniformProgram, (program) => lockstep.run(program, false) === undefined);
  fc.assert(holds, { seed: 1994, numRuns: 200 });
});
