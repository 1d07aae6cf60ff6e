/** What prints to `process.stdout` and `process.stderr` without a session: a module under test, or a package. */

import { Writable } from 'node:stream';
import { visibleLines } from '../../properties/formats/index.js';

/**
 * From now on all of it goes to standard error, and cannot command a terminal: what a session writes to standard output stays whole.
 * Returns the streams themselves, for the session.
 *
 * @param most - UTF-16 units; what is printed after them is lost
 */
export const divertOutput = (most = Infinity): Pick<NodeJS.Process, 'stdout' | 'stderr'> => {
  const { stdout, stderr } = process;
  let left = most;
  const diverted = new Writable({
    decodeStrings: false,
    write: (chunk: Buffer | string, _encoding, done) => {
      const text = visibleLines(chunk.toString()).slice(0, left);
      left -= text.length;
      if (text !== '') stderr.write(text);
      done();
    },
  });
  for (const name of ['stdout', 'stderr']) Object.defineProperty(process, name, { value: diverted });
  return { stdout, stderr };
};
