import { beforeEach, describe, expect, test } from 'vitest';
import { HostBug } from './host-memory.js';
import { PageReferences } from './page-references.js';
import { GUEST_FRAME, SWITCHER_REGISTERS_FRAME, SWITCHER_STATE_FRAME, SWITCHER_TEXT_FRAME } from './shadow-entry.js';

const PAGES = 64;
let references: PageReferences;
beforeEach(() => {
  references = new PageReferences();
  references.reset(2);
});

describe('what changed in a step', () => {
  test('comes by page, whatever the order in which pages were taken', () => {
    for (const page of [63, 0, 9]) references.take(GUEST_FRAME + page);
    expect(references.takeChanges()).toEqual([
      { page: 0, count: 1 },
      { page: 9, count: 1 },
      { page: 63, count: 1 },
    ]);
  });

  test('is asked once', () => {
    references.take(GUEST_FRAME + 5);
    references.takeChanges();
    expect(references.takeChanges()).toEqual([]);
  });

  test('leaves out a page that ends with the count it began with', () => {
    references.take(GUEST_FRAME + 5);
    references.takeChanges();
    references.drop(GUEST_FRAME + 5);
    references.take(GUEST_FRAME + 5);
    references.take(GUEST_FRAME + 6);
    references.drop(GUEST_FRAME + 6);
    expect(references.takeChanges()).toEqual([]);
  });

  test('names the count after the step', () => {
    references.take(GUEST_FRAME + 5);
    references.take(GUEST_FRAME + 5);
    expect(references.takeChanges()).toEqual([{ page: 5, count: 2 }]);
    references.drop(GUEST_FRAME + 5);
    expect(references.takeChanges()).toEqual([{ page: 5, count: 1 }]);
  });
});

test.each([
  ['a guest page', GUEST_FRAME],
  ['the Switcher’s text', SWITCHER_TEXT_FRAME],
  ['page 0, which is no one’s', 0],
  ['a page that does not exist', 1e9],
])('dropping a reference on %s that is not held is noticed', (_name, frame) => {
  expect(() => references.drop(frame)).toThrow(HostBug);
});

test('a drop that was refused leaves the count as it was', () => {
  expect(() => references.drop(GUEST_FRAME + 1)).toThrow(HostBug);
  references.take(GUEST_FRAME + 1);
  expect(references.takeChanges()).toEqual([{ page: 1, count: 1 }]);
});

test('the Switcher’s pages are counted apart from the guest’s', () => {
  references.take(SWITCHER_TEXT_FRAME);
  references.take(SWITCHER_TEXT_FRAME);
  references.take(SWITCHER_REGISTERS_FRAME);
  references.take(SWITCHER_STATE_FRAME + 1);
  expect(references.takeChanges()).toEqual([]);
  expect(references.switcher).toEqual({ text: 2, state: [0, 1], registers: 1 });
  references.drop(SWITCHER_TEXT_FRAME);
  expect(references.takeChanges()).toEqual([]);
  expect(references.switcher).toEqual({ text: 1, state: [0, 1], registers: 1 });
});

test.each([
  ['none', false, false],
  ['read', true, false],
  ['write', true, true],
] as const)('a page protected to %s may be taken for reading: %j, for writing: %j', (access, reading, writing) => {
  references.protect(3, access);
  expect([references.mayTake(3, false), references.mayTake(3, true)]).toEqual([reading, writing]);
  expect(references.mayTake(4, true)).toBe(true);
});

test('what is held at the end is listed by page', () => {
  for (const page of [9, 2, 9]) references.take(GUEST_FRAME + page);
  expect(references.held(PAGES)).toEqual([
    { page: 2, count: 1 },
    { page: 9, count: 2 },
  ]);
});

test('a reset after a broken run forgets references, protections and what was touched', () => {
  references.take(GUEST_FRAME + 9);
  references.take(SWITCHER_TEXT_FRAME);
  references.protect(9, 'none');
  references.reset(3);
  expect(references.takeChanges()).toEqual([]);
  expect(references.held(PAGES)).toEqual([]);
  expect(references.mayTake(9, true)).toBe(true);
  expect(references.switcher).toEqual({ text: 0, state: [0, 0, 0], registers: 0 });
});

test('after a reset a page is reported again, though with the same count as before', () => {
  references.take(GUEST_FRAME + 9);
  references.takeChanges();
  references.reset(1);
  references.take(GUEST_FRAME + 9);
  expect(references.takeChanges()).toEqual([{ page: 9, count: 1 }]);
});

test.each([1, 64, 65, 4096])('%i changes are reported, and again in the next step', (pages) => {
  for (const count of [1, 2]) {
    for (let page = pages - 1; page >= 0; page--) references.take(GUEST_FRAME + page);
    expect(references.takeChanges()).toEqual(Array.from({ length: pages }, (_, page) => ({ page, count })));
  }
});
