import { expect, test } from 'vitest';
import { KILL, killedFor } from '../../model/vocabulary/index.js';
import { differenceOf } from './outcome-difference.js';

test.each([
  [KILL.badStackPage(1), KILL.badStackPage(2), '"bad stack page N" became "bad stack page N"'],
  [KILL.badTableEntry, killedFor('no such entry: kqzjw'), '"bad page table entry" became an unknown text'],
  [KILL.badTableEntry, killedFor('no such entry: pvxbr'), '"bad page table entry" became an unknown text'],
])('%o and %o: %s', (expected, actual, difference) => {
  expect(differenceOf(expected, actual)).toBe(difference);
});
