import { expect, test } from 'vitest';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { Tally } from '../../properties/tally.js';
import { Novelty } from './novelty.js';

test('a new situation is dated when it is first seen, and the next one by how many were reached once', () => {
  const tally = new Tally(INVARIANTS);
  const { incidence } = tally.situations[0][0];
  incidence[0] = 3;
  const novelty = new Novelty(tally);
  expect(novelty.look(tally, 5000)).toEqual({});
  incidence.set([1, 1], 1);
  expect(novelty.look(tally, 6000)).toEqual({ since: 0, next: 3000 });
  incidence[1] = 2;
  expect(novelty.look(tally, 8000)).toEqual({ since: 2000, next: 8000 });
});
