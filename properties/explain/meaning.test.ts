/** What a step means, to a hypervisor and to a CPU. */

import { expect, test } from 'vitest';
import { machineOf, setPgd } from '../../test-support/steps.js';
import { meaningOf } from './meaning.js';

test.each([
  ['lguest', 'the guest announces that PGD entry 1 of root 0x1000 changed (0x400000–0x7fffff)'],
  ['architecture', 'the guest reloads CR3, if it runs on root 0x1000, because PGD entry 1 changed'],
] as const)('a changed top entry in the profile %s', (profile, meaning) => {
  const program = { machine: machineOf({ guestPages: 2 }), steps: [setPgd(0x1000, 1)] };
  expect(meaningOf({ kind: 'step', index: 0 }, program, new Map(), profile)).toBe(meaning);
});
