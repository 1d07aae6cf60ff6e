import { expect, test } from 'vitest';
import { labelled, wrapped } from './labelled.js';

test('text is broken between words, and a long word stays whole', () => {
  expect(wrapped('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrapped('a-very-long-word b', 6)).toEqual(['a-very-long-word', 'b']);
});

test('text continues beside its label', () => {
  expect(labelled('actual', 'mapped 0x5000 and more', 30, 2)).toBe('  actual    mapped 0x5000 and\n            more');
});

test('a terminal too narrow for that breaks lines itself', () => {
  expect(labelled('actual', 'mapped 0x5000', 15)).toBe('actual    mapped 0x5000');
});
