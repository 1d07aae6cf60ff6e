/** One spelling and one short name for each program: files are named by it, and doubles found. */

import { createHash } from 'node:crypto';
import type { Program } from '../../model/vocabulary/index.js';
import { formatProgram } from './program-format.js';

/** Enough to tell the files of a corpus apart, short enough to type. */
const HASH_DIGITS = 8;

/** The same text for every spelling of a program (key order, blanks, leading zeros). */
export const canonicalForm = (program: Program): string => formatProgram(program);

/** The first eight hex digits of the SHA-256 of a program's canonical form. */
export const programHash = (program: Program): string =>
  createHash('sha256').update(canonicalForm(program)).digest('hex').slice(0, HASH_DIGITS);
