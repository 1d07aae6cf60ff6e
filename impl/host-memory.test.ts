import { beforeEach, describe, expect, test } from 'vitest';
import { HostBug, HostMemory } from './host-memory.js';
import { NO_FRAME, TABLE_FRAME } from './shadow-entry.js';

let host: HostMemory;
beforeEach(() => {
  host = new HostMemory();
  host.reset(1024);
});

/** Every populated index, found the way that the machine finds them. */
const populated = (frame: number): readonly number[] => {
  const found: number[] = [];
  for (let index = host.nextPopulated(frame, 0); index < 1024; index = host.nextPopulated(frame, index + 1))
    found.push(index);
  return found;
};

describe('which entries are populated', () => {
  test.each([[[0]], [[31]], [[32]], [[1023]], [[0, 31, 32, 63, 64, 991, 992, 1023]], [[]]])('%j', (indexes) => {
    const frame = host.allocate();
    for (const index of [...indexes].reverse()) host.write(host.offsetOf(frame, index), 0x1001);
    expect(populated(frame)).toEqual(indexes);
  });

  test('all of them, and none again', () => {
    const frame = host.allocate();
    for (let index = 0; index < 1024; index++) host.write(host.offsetOf(frame, index), index + 1);
    expect(populated(frame)).toHaveLength(1024);
    for (let index = 0; index < 1024; index++) host.write(host.offsetOf(frame, index), 0);
    expect(populated(frame)).toEqual([]);
  });

  test('an entry taken away twice, or written twice, is counted once', () => {
    const frame = host.allocate();
    const offset = host.offsetOf(frame, 33);
    host.write(offset, 1);
    host.write(offset, 2);
    host.write(host.offsetOf(frame, 34), 0);
    expect(populated(frame)).toEqual([33]);
    host.write(offset, 0);
    host.write(offset, 0);
    expect(populated(frame)).toEqual([]);
  });

  test('the search begins at the index itself and ends with 1024', () => {
    const frame = host.allocate();
    host.write(host.offsetOf(frame, 700), 1);
    expect(host.nextPopulated(frame, 700)).toBe(700);
    expect(host.nextPopulated(frame, 701)).toBe(1024);
    expect(host.nextPopulated(frame, 1024)).toBe(1024);
  });

  test('tables do not see each other’s entries', () => {
    const [one, other] = [host.allocate(), host.allocate()];
    host.write(host.offsetOf(one, 1023), 1);
    host.write(host.offsetOf(other, 0), 1);
    expect(populated(one)).toEqual([1023]);
    expect(populated(other)).toEqual([0]);
  });
});

describe('a table that is drained', () => {
  test.each([[[0]], [[0, 31, 32, 63, 1023]], [[]]])('gives its words by index, and is empty: %j', (indexes) => {
    const [frame, other] = [host.allocate(), host.allocate()];
    for (const index of indexes) host.write(host.offsetOf(frame, index), index + 1);
    host.write(host.offsetOf(other, 5), 7);
    const { entryVersion } = host;
    const drained = new Uint32Array(1024);
    expect(host.drain(frame, drained)).toBe(indexes.length);
    expect([...drained.subarray(0, indexes.length)]).toEqual(indexes.map((index) => index + 1));
    expect(host.entryVersion).toBe(entryVersion + indexes.length);
    expect([populated(frame), populated(other)]).toEqual([[], [5]]);
    expect(indexes.map((index) => host.words[host.offsetOf(frame, index)])).toEqual(indexes.map(() => 0));
  });

  test('must be one', () => {
    expect(() => host.drain(TABLE_FRAME, new Uint32Array(1024))).toThrow(HostBug);
  });
});

describe('allocation', () => {
  test('hands out different tables, and takes back ones again', () => {
    const [one, other] = [host.allocate(), host.allocate()];
    expect(one).toBeGreaterThanOrEqual(TABLE_FRAME);
    expect(other).not.toBe(one);
    host.free(one);
    expect(host.isAllocated(one)).toBe(false);
    expect(host.tableCount).toBe(1);
    expect(host.allocate()).toBe(one);
  });

  test('grows past its first tables and keeps what they hold', () => {
    const frames = Array.from({ length: 200 }, () => host.allocate());
    frames.forEach((frame, index) => host.write(host.offsetOf(frame, index), index + 1));
    const more = Array.from({ length: 200 }, () => host.allocate());
    expect(new Set([...frames, ...more]).size).toBe(400);
    expect(frames.map((frame, index) => host.words[host.offsetOf(frame, index)])).toEqual(frames.map((_, i) => i + 1));
    expect(frames.map(populated)).toEqual(frames.map((_, index) => [index]));
    expect(host.tableCount).toBe(400);
  });

  test('fails as often as ordered, after the ordered number of successes', () => {
    host.failAfter(2, 3);
    const frames = Array.from({ length: 6 }, () => host.allocate() !== NO_FRAME);
    expect(frames).toEqual([true, true, false, false, false, true]);
    expect(host.tableCount).toBe(3);
  });

  test('a later order to fail replaces what is left of the earlier one', () => {
    host.failAfter(0, 5);
    host.allocate();
    host.failAfter(0, 1);
    expect([host.allocate(), host.allocate()].map((frame) => frame === NO_FRAME)).toEqual([true, false]);
  });
});

describe('its own mistakes', () => {
  test('a table freed twice', () => {
    const frame = host.allocate();
    host.free(frame);
    expect(() => host.free(frame)).toThrow(HostBug);
  });

  test.each([0, 1, TABLE_FRAME - 1, TABLE_FRAME + 1, TABLE_FRAME + 1e6])('page %d, which is no table', (frame) => {
    host.allocate();
    expect(() => host.free(frame)).toThrow(HostBug);
    expect(() => host.offsetOf(frame, 0)).toThrow(HostBug);
    expect(() => host.nextPopulated(frame, 0)).toThrow(HostBug);
    expect(host.isAllocated(frame)).toBe(false);
  });

  test.each([
    ['2-level', 1024],
    ['pae', 512],
  ] as const)('an index past a table of %s', (_paging, entries) => {
    host.reset(entries);
    const frame = host.allocate();
    expect(host.offsetOf(frame, entries - 1)).toBeGreaterThan(0);
    expect(() => host.offsetOf(frame, entries)).toThrow(HostBug);
  });
});

test('a reset after a broken run leaves no table, no entry and no order to fail', () => {
  const frames = Array.from({ length: 40 }, () => host.allocate());
  for (const frame of frames) host.write(host.offsetOf(frame, 1023), 7);
  host.failAfter(0, 9);
  host.reset(1024);
  expect(host.tableCount).toBe(0);
  expect(host.isAllocated(frames[0])).toBe(false);
  const again = Array.from({ length: 40 }, () => host.allocate());
  expect(again.every((frame) => frame !== NO_FRAME && host.words[host.offsetOf(frame, 1023)] === 0)).toBe(true);
  expect(again.flatMap(populated)).toEqual([]);
});

test('versions grow with what they count', () => {
  const { tableVersion, entryVersion } = host;
  const frame = host.allocate();
  expect([host.tableVersion > tableVersion, host.entryVersion]).toEqual([true, entryVersion]);
  const allocated = host.tableVersion;
  host.write(host.offsetOf(frame, 3), 1);
  expect([host.tableVersion, host.entryVersion > entryVersion]).toEqual([allocated, true]);
});
