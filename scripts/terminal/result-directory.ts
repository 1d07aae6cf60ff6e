/** A directory that an option names for results: checked before a run, made when there is something to write. */

import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeDirectory } from '../../properties/corpus/store.js';
import type { Finding } from '../../properties/finding.js';
import { BadInput, whyFailed } from '../../properties/formats/index.js';
import { ownMachine } from '../../properties/subjects/subject-names.js';

/** The corpus of the machines of this package, unless an option names another directory. */
export const DEFAULT_CORPUS = 'corpus';
/** That of other machines: what they show does not go to the corpus that tests this package. */
export const OUTSIDE_CORPUS = 'out/corpus';

/** The corpus of a run on these two sides, unless an option names another. Throws `BadInput` for the name of an unknown defect. */
export const corpusOf = ({ subject, reference }: Pick<Finding, 'subject' | 'reference'>): string =>
  [subject, reference].every((name) => ownMachine(name, '--subject') !== undefined) ? DEFAULT_CORPUS : OUTSIDE_CORPUS;

/**
 * Throws `BadInput` if files could not be written into a directory, which may not exist yet. Writes nothing: a run that
 * finds nothing leaves nothing behind.
 */
export const checkDirectory = async (option: string, directory: string): Promise<void> => {
  let place = resolve(directory);
  for (;;) {
    const problem = await problemAt(place);
    if (problem === undefined) return;
    const above = dirname(place);
    if (problem !== 'absent' || above === place) {
      throw new BadInput(option, `${place}: ${problem}; name another directory`);
    }
    place = above;
  }
};

/** What keeps us from writing into this directory; `absent` if it is not there. */
const problemAt = async (directory: string): Promise<string | undefined> => {
  try {
    if (!(await stat(directory)).isDirectory()) return 'this is a file';
    await access(directory, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'absent';
    if (code === 'ENOTDIR') return 'absent';
    return code === 'EACCES' || code === 'EROFS' ? 'this directory may not be written to' : whyFailed(error);
  }
};

/** Makes a directory for results. Throws `BadInput` if that cannot be done. */
export const makeResultDirectory = async (option: string, directory: string): Promise<void> => {
  try {
    await makeDirectory(resolve(directory));
  } catch (error) {
    throw new BadInput(option, `${directory}: ${whyFailed(error)}; name another directory`);
  }
};
