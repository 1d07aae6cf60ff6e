import { expect, test } from 'vitest';
import { hasCommand } from './campaign-plan.js';

test.each([
  ['exec:./my-machine', true],
  ['metal:v86', true],
  ['module:./mine.js', false],
  ['wasm:./mine.wasm', false],
  ['impl', false],
])('%s runs outside this process: %j', (name, outside) => {
  expect(hasCommand({ subject: name, reference: 'model' })).toBe(outside);
  expect(hasCommand({ subject: 'impl', reference: name })).toBe(outside);
});
