import { expect, test } from 'vitest';
import { BadInput } from './bad-input.js';
import { quoted, shownValue, visible, visibleLines } from './visible-text.js';

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

test('what a terminal obeys is spelled out, and all else is kept', () => {
  const unsafe =
    '\u0000\u0007\u001b\r\u007f\u0085\u009b\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\ud800';
  const spelled = unsafe
    .split('')
    .map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
  expect(visible(unsafe)).toBe(spelled);
  expect(visible('a\tb\nc é 😀 \\u001b')).toBe('a\\u0009b\\u000ac é 😀 \\u001b');
  expect(visibleLines(`a\tb\nc ${unsafe}`)).toBe(`a\tb\nc ${spelled}`);
});

test('a JSON text that was made visible is the same JSON', () => {
  const value = { 'k\u009b\u202e': '\u001b\u2028\ud800\n' };
  const text = visible(JSON.stringify(value));
  expect(text).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(text)).toEqual(value);
});

test('a message about bad input is one line that no terminal obeys', () => {
  const error = new BadInput('a\n\u001b[31m', 'b\u009b', { place: 'c\u202e', further: 'd\r' });
  expect(error.message).toBe('a\\u000a\\u001b[31m: c\\u202e: b\\u009b (d\\u000d)');
});
