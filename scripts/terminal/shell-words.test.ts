import { expect, test } from 'vitest';
import { printable } from './printable.js';
import { commandLineOf } from './shell-words.js';

test('only what a shell would take apart is quoted', () => {
  const words = ['shadowdiff', 'replay', "it's here/a.json", '--subject', 'exec:./s -v', 'impl:a,b'];
  expect(commandLineOf(words)).toBe(`shadowdiff replay 'it'\\''s here/a.json' --subject 'exec:./s -v' impl:a,b`);
});

test('what would command a terminal is spelt out, and a flood is cut', () => {
  expect(printable('\u001b[2Jx\u202e\n')).toBe('\\u001b[2Jx\\u202e\\u000a');
  expect(printable('x'.repeat(5000))).toHaveLength(1001);
});
