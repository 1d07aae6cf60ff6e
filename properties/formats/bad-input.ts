/** Messages about input that cannot be read: a file, an answer, an argument. */

import { getSystemErrorMap } from 'node:util';
import { visible } from './visible-text.js';

/** Where in a source the problem is, how many others there are, and what its process wrote. */
export interface BadInputPlace {
  /** A path such as `steps[3].paddr`, or `line 3, column 7`; left out if it is the whole. */
  readonly place?: string;
  /** Mentions the problems besides this one. */
  readonly further?: string;
  /** The end of what a command that cannot be used wrote to its standard error. */
  readonly standardError?: string | undefined;
}

/**
 * Input that cannot be used. The message is complete, in one line for a terminal: source, place, what is wrong, and after a semicolon what
 * to do.
 */
export class BadInput extends Error {
  override readonly name = 'BadInput';
  readonly standardError: string | undefined;

  /**
   * @param source - where the input came from: a file's path, a subject's name, an option
   * @param text - what is wrong, `; `, and what to do about it
   */
  constructor(source: string, text: string, { place, further, standardError }: BadInputPlace = {}) {
    const subject = place === undefined ? source : `${source}: ${place}`;
    super(visible(`${subject}: ${text}${further === undefined ? '' : ` (${further})`}`));
    this.standardError = standardError;
  }
}

/** Why a call failed, in words: of the operating system's own, such as "no space left on device"; of any other error its message. */
export const whyFailed = (error: unknown): string => {
  const { errno, message } = error as NodeJS.ErrnoException;
  const [, words] = (errno === undefined ? undefined : getSystemErrorMap().get(errno)) ?? [];
  return words ?? message;
};
