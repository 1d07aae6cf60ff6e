/** How a stranger's value is shown in one line of a terminal: short, and with nothing that a terminal would obey. */

/** UTF-16 units of a string that are shown before it is cut. */
const MOST_SHOWN = 60;

/** JSON escapes C0 only; these are C1, the separators of lines, and the marks that turn the direction of text. */
const UNSAFE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A string in quotes, its control characters escaped, cut after `most` UTF-16 units. */
export const quoted = (text: string, most = MOST_SHOWN): string => {
  const shown = JSON.stringify(text.slice(0, most)).replace(UNSAFE, escaped);
  return text.length > most ? `${shown}…` : shown;
};

/** Any JSON value. Lists and objects are named, not printed: they may be deep and large. */
export const shownValue = (value: unknown): string => {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
};
