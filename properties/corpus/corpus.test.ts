/** Every counterexample that is kept must still say what it was kept for. */

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkStored } from './regress.js';
import { readCorpus } from './store.js';

const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url));

test('every stored counterexample is as recorded', async () => {
  const others: string[] = [];
  for (const stored of await readCorpus(CORPUS)) {
    const { file, verdict, reason } = await checkStored(stored, { caseTimeout: 10_000, allowed: [] });
    if (verdict !== 'as-recorded') others.push(`${file}: ${verdict}: ${reason}`);
  }
  expect(others).toEqual([]);
});
