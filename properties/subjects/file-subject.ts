/** What subjects that are files have in common. */

import type { Machine } from '../../model/vocabulary/index.js';

export interface FileSubjectOptions {
  /** The option or file that names it, for messages. */
  readonly where: string;
  /** Milliseconds for one program. */
  readonly caseTimeout: number;
  /** Milliseconds from the beginning to its first answer. */
  readonly startTimeout: number;
}

/**
 * In the place of a machine that could not be made. The subject could make one when it was started, so that it fails now is a finding, at
 * the creation.
 */
export const failingMachine = (error: unknown): Machine => {
  const fail = (): never => {
    throw error;
  };
  return { create: fail, apply: fail, destroy: fail };
};
