/** Text of strangers on a terminal: it must be short and must not command the terminal. */

/** C0 and C1, the separators of lines, and the marks that turn the direction of text. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** A whole observation in JSON fits. */
const MOST_SHOWN = 1000;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text in one line, cut after a thousand characters. */
export const printable = (text: string): string => {
  const shown = text.slice(0, MOST_SHOWN).replace(UNSAFE, escaped);
  return text.length > MOST_SHOWN ? `${shown}…` : shown;
};
