import { expect, test } from 'vitest';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import { ReferenceMachine } from '../../model/machine.js';
import type { ReferenceChange } from '../../model/vocabulary/index.js';
import { machineOf } from '../../test-support/steps.js';
import { Lockstep } from '../lockstep.js';
import { referenceCount } from './reference-count.js';

test('a change that names no page is a change too', () => {
  const subject = new ShadowMachine();
  const takeChanges = subject.references.takeChanges.bind(subject.references);
  subject.references.takeChanges = () => [...takeChanges(), {} as ReferenceChange];
  const lockstep = new Lockstep({ model: new ReferenceMachine(), subject, invariants: [referenceCount] });
  const machine = machineOf({ guestPages: 64 });
  expect(lockstep.run({ machine, steps: [] }, false)).toMatchObject({
    invariant: 'reference-count',
    difference: 'a change not called for',
  });
});
