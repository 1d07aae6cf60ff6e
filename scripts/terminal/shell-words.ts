/** Command lines that can be copied into a shell. */

const PLAIN = /^[\w./:=+@%,-]+$/;

/** One word, in quotes if it needs them. */
export const shellWord = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

export const commandLineOf = (words: readonly string[]): string => words.map(shellWord).join(' ');
