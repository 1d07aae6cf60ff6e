/** Command lines that can be copied into a shell. */

import { visible } from '../../properties/formats/index.js';

const PLAIN = /^[\w./:=+@%,-]+$/;

/** One word, in quotes if it needs them; in those that know escapes if it has characters that cannot be printed. */
export const shellWord = (word: string): string => {
  if (PLAIN.test(word)) return word;
  if (visible(word) === word) return `'${word.replaceAll("'", `'\\''`)}'`;
  return `$'${visible(word.replace(/[\\']/g, '\\$&'))}'`;
};

export const commandLineOf = (words: readonly string[]): string => words.map(shellWord).join(' ');
