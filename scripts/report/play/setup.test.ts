import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Step } from '../../../model/vocabulary/index.js';
import { vaddr } from '../../../model/vocabulary/index.js';
import { machineOf } from '../../../test-support/steps.js';
import { LARGEST_FILE } from '../../../properties/corpus/store.js';
import { BadInput, formatProgram } from '../../../properties/formats/index.js';
import { uniformProgram } from '../../../properties/generators/index.js';
import { PROFILES } from '../../../properties/profile.js';
import { decodeSetup, encodeSetup } from './setup.js';

const anySetup = fc.record({
  subject: fc.string({ unit: 'binary' }),
  reference: fc.constantFrom('model', 'walk'),
  profile: fc.option(fc.constantFrom(...PROFILES), { nil: undefined }),
  program: uniformProgram,
});

test('a link brings back what was put into it', async () => {
  await fc.assert(
    fc.asyncProperty(anySetup, async (setup) => {
      const code = await encodeSetup(setup);
      expect(code).toMatch(/^[\w-]*$/);
      expect(await decodeSetup(code)).toEqual(setup);
    }),
    { numRuns: 30 },
  );
});

test('a program as long as a file may hold goes into a link', async () => {
  const machine = machineOf();
  const steps = Array.from({ length: 265_000 }, (): Step => ({
    op: 'access',
    vaddr: vaddr(0),
    kind: 'read',
    mode: 'user',
  }));
  const program = { machine, steps };
  expect(formatProgram(program).length).toBeGreaterThan(LARGEST_FILE * 0.9);
  const setup = await decodeSetup(await encodeSetup({ subject: 'impl', reference: 'model', program }));
  expect(setup.program.steps.length).toBe(steps.length);
});

const packed = (text: string): string => deflateRawSync(text).toString('base64url');

test.each([
  ['', 'the link: it is damaged; copy it again'],
  ['%%%', 'the link: it is damaged; copy it again'],
  ['A', 'the link: it is damaged; copy it again'],
  ['abcdefgh', 'the link: it is damaged; copy it again'],
  [packed('no JSON'), 'the link: '],
  [packed('{"format":"shadowdiff-play/2"}'), 'the link: format: "shadowdiff-play/2" is not known'],
  [packed('{"format":"shadowdiff-play/1","subject":"impl","reference":"model"}'), 'the link: program: missing'],
  [packed(' '.repeat(2 ** 24 + 1)), 'the link: its program is too long; send it as a file'],
])('refused: %#', async (code, message) => {
  const refusal = await decodeSetup(code).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(BadInput);
  expect((refusal as BadInput).message).toContain(message);
});
