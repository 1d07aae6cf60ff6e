/**
 * The seed pool: interesting programs that a campaign may start from. It is frozen while a campaign runs, because shards cannot
 * tell each other what they reached, and its identity is part of the campaign's.
 */

import { createHash } from 'node:crypto';
import { canonicalForm } from '../formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';

/** Enough to tell pools apart, short enough to read. */
const IDENTITY_DIGITS = 16;

export interface SeedPool {
  /** In the order of their canonical forms, none twice. */
  readonly members: readonly Program[];
  /** The first 16 hex digits of the SHA-256 of its members, a line each. Equal pools have equal ones. */
  readonly identity: string;
}

/** How much of a campaign is made from which pool. */
export interface Guidance {
  readonly pool: SeedPool;
  /** The share of programs that are made from the pool, 0 … 1. */
  readonly share: number;
}

/** A pool of these programs, whatever their order. */
export const poolOf = (programs: readonly Program[]): SeedPool => {
  const byForm = new Map(programs.map((program) => [canonicalForm(program), program]));
  const forms = [...byForm.keys()].toSorted();
  const hash = createHash('sha256');
  for (const form of forms) hash.update(`${form}\n`);
  return { members: forms.map((form) => byForm.get(form)!), identity: hash.digest('hex').slice(0, IDENTITY_DIGITS) };
};
