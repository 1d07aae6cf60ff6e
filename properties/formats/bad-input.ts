/** What is said to somebody whose file, answer or argument cannot be read. */

/** Where in a source something is wrong, and how much else is. */
export interface BadInputPlace {
  /** A path such as `steps[3].paddr`, or `line 3, column 7`; left out if the whole is meant. */
  readonly place?: string;
  /** Problems besides the one that is told. */
  readonly further?: string;
}

/**
 * Input that cannot be used. The message is complete and meant for the reader of a terminal: source, place, what is wrong,
 * and behind a semicolon what to do.
 */
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
