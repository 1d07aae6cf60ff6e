import { expect, test } from 'vitest';
import type { Place } from '../../properties/divergence.js';
import { shownSteps } from './program-window.js';

/** `0–15 (83) 99`: the shown steps, and how many are left out between them. */
const windowOf = (count: number, place: Place, focus?: number): string => {
  const parts: string[] = [];
  let first: number | undefined;
  let last = 0;
  const close = (): void => {
    if (first !== undefined) parts.push(`${first}–${last}`);
    first = undefined;
  };
  for (const shown of shownSteps(count, place, focus)) {
    if (shown.kind === 'step') last = shown.index;
    else close();
    if (shown.kind === 'left-out') parts.push(`(${shown.count})`);
    else first ??= last;
  }
  close();
  return parts.join(' ');
};

const step = (index: number): Place => ({ kind: 'step', index });

test.each([
  [200, step(3), undefined, '0–199'],
  [100_000, step(50_000), undefined, '0–15 (49884) 49900–50020 (49979)'],
  [100_000, step(50_000), 40_000, '0–15 (39984) 40000–40000 (9899) 49900–50020 (49979)'],
  [100_000, step(0), undefined, '0–20 (99979)'],
  [100_000, step(99_999), undefined, '0–15 (99883) 99899–99999'],
  [100_000, { kind: 'create' }, undefined, '0–20 (99979)'],
  [100_000, { kind: 'destroy' }, undefined, '0–15 (99883) 99899–99999'],
  [0, { kind: 'end' }, undefined, ''],
] as const)('of %i steps with a divergence at %j: %s %s', (count, place, focus, shown) => {
  expect(windowOf(count, place, focus)).toBe(shown);
});
