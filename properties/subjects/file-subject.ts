/** What subjects that are files have in common. */

import { stat } from 'node:fs/promises';
import type { Machine } from '../../model/vocabulary/index.js';
import { whyFailed } from '../formats/index.js';
import { within } from './time-limit.js';

export interface FileSubjectOptions {
  /** The option or file that names it, for messages. */
  readonly where: string;
  /** Milliseconds for one program. */
  readonly caseTimeout: number;
  /** Milliseconds from the beginning to its first answer. */
  readonly startTimeout: number;
}

/** Why a file cannot be loaded, with what to do; undefined if it can. A pipe or a device may never end. */
export const whyNoFile = async (file: string): Promise<string | undefined> => {
  try {
    const kind = await stat(file);
    if (kind.isDirectory()) return 'it is a directory; name a file in it';
    return kind.isFile() ? undefined : 'it is a pipe or a device; name a file';
  } catch (error) {
    return `${whyFailed(error)}; check the path, which begins at the current directory`;
  }
};

/** A new machine of a subject that was started. Making it takes at most the time of a program, in milliseconds. */
export const machineWithin = (caseTimeout: number, make: () => Machine): Machine => {
  try {
    return within(caseTimeout, make);
  } catch (error) {
    return failingMachine(error);
  }
};

/**
 * In the place of a machine that could not be made. The subject could make one when it was started, so that it fails now is a finding, at
 * the creation.
 */
const failingMachine = (error: unknown): Machine => {
  const fail = (): never => {
    throw error;
  };
  return { create: fail, apply: fail, destroy: fail };
};
