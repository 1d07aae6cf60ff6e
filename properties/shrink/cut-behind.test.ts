import { describe, expect, test } from 'vitest';
import { withoutTail } from './cut-behind.js';
import { init, programOf, touch } from './smallest-after.js';

const program = programOf([init(), touch(0), touch(4096)]);

describe('what stands behind the divergence goes', () => {
  test('after a step', () => {
    expect(withoutTail(program, { kind: 'step', index: 1 }).steps).toEqual([init(), touch(0)]);
  });

  test('all of it when creation diverges', () => {
    expect(withoutTail(program, { kind: 'create' }).steps).toEqual([]);
  });

  test('nothing when only the end shows it', () => {
    expect(withoutTail(program, { kind: 'end' })).toBe(program);
    expect(withoutTail(program, { kind: 'destroy' })).toBe(program);
    expect(withoutTail(program, { kind: 'step', index: 2 })).toBe(program);
  });
});
