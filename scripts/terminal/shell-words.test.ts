import { expect, test } from 'vitest';
import { commandLineOf } from './shell-words.js';

test('only what a shell would take apart is quoted', () => {
  const words = ['shadowdiff', 'replay', "it's here/a.json", '--subject', 'exec:./s -v', 'impl:a,b'];
  expect(commandLineOf(words)).toBe(`shadowdiff replay 'it'\\''s here/a.json' --subject 'exec:./s -v' impl:a,b`);
});

test('a path that begins with a dash is no option; the value of an option may', () => {
  const words = ['shadowdiff', 'replay', '-c/a.json', '--seed', '-s', '-d/b.json'];
  expect(commandLineOf(words)).toBe('shadowdiff replay ./-c/a.json --seed -s ./-d/b.json');
});

test('what cannot be printed is escaped as bash and zsh read it', () => {
  expect(commandLineOf(['a\n\u001b', `b\\'\u202e`])).toBe(`$'a\\u000a\\u001b' $'b\\\\\\'\\u202e'`);
});
