/**
 * Makes foreign text printable. Characters that a terminal obeys, that end a line, or that turn the direction of text are spelled out like
 * `\u001b`, as in JSON: a JSON text that was made printable is the same JSON.
 */

/** C0 and DEL and C1, the marks of direction, the separators of lines and paragraphs, the byte order mark, and lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text in one line. */
export const visible = (text: string): string => text.replace(UNSAFE, escaped);

/** Text of many lines: tabs and ends of lines stay. */
export const visibleLines = (text: string): string =>
  text.replace(UNSAFE, (character) => (character === '\n' || character === '\t' ? character : escaped(character)));

// Foreign values in a message: short as well.

/** The most UTF-16 units of a string to show. */
const MOST_SHOWN = 60;

/** A string in quotes, cut after `most` UTF-16 units. */
export const quoted = (text: string, most = MOST_SHOWN): string => {
  const shown = visible(JSON.stringify(text.slice(0, most)));
  return text.length > most ? `${shown}…` : shown;
};

/** Any JSON value. Lists and objects are not printed, since they may be deep and large. */
export const shownValue = (value: unknown): string => {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
};
