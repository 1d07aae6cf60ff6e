import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watch } from './worker-pool.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a watch that has ended waits for nothing, whatever it still hears', () => {
  const watch = new Watch(60_000, new AbortController().signal);
  const { postMessage: hear } = watch.channel;
  hear({ program: 1 });
  expect(vi.getTimerCount()).toBe(1);
  watch.end();
  hear({ program: 2 });
  expect([vi.getTimerCount(), watch.program]).toEqual([0, 1]);
});
