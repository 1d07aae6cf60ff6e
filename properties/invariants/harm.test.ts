import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DEFECTS } from '../../impl/defects/catalogue.js';
import { harmOf } from './invariants.js';
import { readCorpus } from '../corpus/store.js';

const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url));

test('a subject that breaks down is a broken host', () => {
  expect([harmOf('subject-crash'), harmOf('translation')]).toEqual(['host', 'guest']);
});

test('most defects that harm the host are caught by a guard of it, and of the others few', async () => {
  const shares = { host: { guards: 0, all: 0 }, guest: { guards: 0, all: 0 } };
  for (const stored of await readCorpus(CORPUS)) {
    if (stored.kind === 'unreadable') continue;
    const { subject, divergence } = stored.entry;
    const defect = DEFECTS.find(({ id }) => subject === `impl:${id}`);
    if (defect === undefined) continue;
    const share = shares[defect.harms];
    share.all++;
    if (harmOf(divergence.invariant) === 'host') share.guards++;
  }
  expect(shares.host.guards / shares.host.all).toBeGreaterThan(0.8);
  expect(shares.guest.guards / shares.guest.all).toBeLessThan(0.2);
});
