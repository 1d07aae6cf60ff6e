import { createHash as createNodeHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHash } from './sha256.js';

const nodeHash = (text: string): string => createNodeHash('sha256').update(text).digest('hex');

test('a page hashes as Node.js does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(createHash('sha256').update(text).digest('hex')).toBe(nodeHash(text));
    }),
  );
});

test.each([0, 55, 56, 63, 64, 65, 100_000])('%i bytes', (bytes) => {
  const text = 'a'.repeat(bytes);
  expect(createHash('sha256').update(text).digest('hex')).toBe(nodeHash(text));
});
