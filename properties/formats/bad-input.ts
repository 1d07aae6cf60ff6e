/** Messages about input that cannot be read: a file, an answer, an argument. */

/** Where in a source the problem is, and how many others there are. */
export interface BadInputPlace {
  /** A path such as `steps[3].paddr`, or `line 3, column 7`; left out if it is the whole. */
  readonly place?: string;
  /** Mentions the problems besides this one. */
  readonly further?: string;
}

/** Input that cannot be used. The message is complete, for a terminal: source, place, what is wrong, and after a semicolon what to do. */
export class BadInput extends Error {
  override readonly name = 'BadInput';

  /**
   * @param source - where the input came from: a file's path, a subject's name, an option
   * @param text - what is wrong, `; `, and what to do about it
   */
  constructor(source: string, text: string, { place, further }: BadInputPlace = {}) {
    const subject = place === undefined ? source : `${source}: ${place}`;
    super(`${subject}: ${text}${further === undefined ? '' : ` (${further})`}`);
  }
}

// Foreign values in a message: short, in one line, and free of anything that a terminal would obey.

/** The most UTF-16 units of a string to show. */
const MOST_SHOWN = 60;

/** JSON escapes C0 only; these are C1, line separators, and marks that change the direction of text. */
const UNSAFE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A string in quotes, its control characters escaped, cut after `most` UTF-16 units. */
export const quoted = (text: string, most = MOST_SHOWN): string => {
  const shown = JSON.stringify(text.slice(0, most)).replace(UNSAFE, escaped);
  return text.length > most ? `${shown}…` : shown;
};

/** Any JSON value. Lists and objects are not printed, since they may be deep and large. */
export const shownValue = (value: unknown): string => {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
};
