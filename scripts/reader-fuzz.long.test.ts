import { expect, test } from 'vitest';
import { FORMAT_NAMES, fuzzReaders } from '../test-support/reader-fuzz.js';

test.each(FORMAT_NAMES)('mutations of a %s are read or refused', async (name) => {
  await expect(fuzzReaders(name, 200)).resolves.toBeUndefined();
});
