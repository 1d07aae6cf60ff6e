/** Command lines that can be copied into a shell. */

import { visible } from '../../properties/formats/index.js';

const PLAIN = /^[\w./:=+@%,-]+$/;

/** One word, in quotes if it needs them; in those that know escapes if it has characters that cannot be printed. */
export const shellWord = (word: string): string => {
  if (PLAIN.test(word)) return word;
  if (visible(word) === word) return `'${word.replaceAll("'", `'\\''`)}'`;
  return `$'${visible(word.replace(/[\\']/g, '\\$&'))}'`;
};

const OPTION = /^--[a-z][a-z-]*$/;
const STDIN = '-';

/** Words that are neither options nor values of options are paths: one that begins with a dash must not pass for an option. */
export const commandLineOf = (words: readonly string[]): string =>
  words
    .map((word, index) => {
      const isPath = !OPTION.test(word) && !OPTION.test(words[index - 1] ?? '');
      return shellWord(isPath && word.startsWith('-') && word !== STDIN ? `./${word}` : word);
    })
    .join(' ');
