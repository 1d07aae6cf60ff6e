import { describe, expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { access, init, newPgtable, store } from '../../test-support/steps.js';
import { isSmaller, measureOf } from './measure.js';
import { programOf } from '../../test-support/smallest-after.js';

const smaller = (one: Program, other: Program): boolean => isSmaller(measureOf(one), measureOf(other));

describe('smaller means', () => {
  test('fewer steps before all else', () => {
    expect(smaller(programOf([store(0xff8, 0xfffff1ff)]), programOf([init(), init()], { guestPages: 1 }))).toBe(true);
  });

  test('then a smaller machine', () => {
    expect(smaller(programOf([access(0x5123)], { guestPages: 16 }), programOf([access(0)]))).toBe(true);
  });

  test('then the usual order', () => {
    expect(smaller(programOf([store(0x800, 0x67), newPgtable(0)]), programOf([newPgtable(0), store(0, 0)]))).toBe(true);
  });

  test('then fewer bits', () => {
    expect(smaller(programOf([store(0x2000, 0x5001)]), programOf([store(0, 0x3)]))).toBe(true);
  });

  test('the lowest kernel address is nearer than a high user address of another half is far', () => {
    expect(smaller(programOf([access(0xc0000000)]), programOf([access(0xc0001000)]))).toBe(true);
    expect(smaller(programOf([access(0)]), programOf([access(0xc0000000)]))).toBe(true);
  });

  test('nothing is smaller than itself', () => {
    const program = programOf([init(), store(0, 0x67)]);
    expect(smaller(program, program)).toBe(false);
  });

  test('only whole numbers that are not negative, so there is an end', () => {
    const [extreme] = [programOf([store(0x3fff8, 0xffffffff, 0xffffffff), access(0xffffffff)], { paging: 'pae' })];
    expect(measureOf(extreme).every((value) => Number.isSafeInteger(value) && value >= 0)).toBe(true);
  });
});
