import { expect, test } from 'vitest';
import { NOTHING_REACHED } from '../../properties/campaign/residual-risk.js';
import { NoveltyClock } from './novelty.js';

test('what is new is dated when it is first seen, and the next one by how many were reached once', () => {
  const clock = new NoveltyClock({ ...NOTHING_REACHED, reached: 1 });
  expect(clock.look({ ...NOTHING_REACHED, reached: 1 }, 5000)).toEqual({});
  expect(clock.look({ ...NOTHING_REACHED, reached: 3, once: 2 }, 6000)).toEqual({ since: 0, next: 3000 });
  expect(clock.look({ ...NOTHING_REACHED, reached: 3, once: 1 }, 8000)).toEqual({ since: 2000, next: 8000 });
});
