import { expect, test } from 'vitest';
import { quoted, shownValue } from './bad-input.js';

test('nothing that a terminal would obey is left in a quoted text', () => {
  expect(quoted('a\u001b[31m\n\u009b\u202e"')).toBe('"a\\u001b[31m\\n\\u009b\\u202e\\""');
});

test('a long text is cut', () => {
  expect(quoted('abcdef', 3)).toBe('"abc"…');
  expect(quoted('abc', 3)).toBe('"abc"');
});

test('lists and objects are named, not printed', () => {
  const values = [[[]], {}, null, true, -1.5, 'x', undefined].map(shownValue);
  expect(values).toEqual(['a list', 'an object', 'null', 'true', '-1.5', '"x"', 'undefined']);
});
