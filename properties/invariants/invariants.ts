/**
 * Every invariant, in order of precedence: when one step breaks several, the finding is named after the first. The most specific
 * come first and the bare comparisons last.
 */

import { isSubjectFailure, SUBJECT_RULE } from '../divergence.js';
import { accessedDirty } from './accessed-dirty.js';
import { coherence } from './coherence.js';
import { confinement } from './confinement.js';
import { deathIsFinal } from './death-is-final.js';
import { determinism } from './determinism.js';
import { flush } from './flush.js';
import { hostIntact } from './host-intact.js';
import type { Invariant } from './invariant.js';
import { kernelBroadcast } from './kernel-broadcast.js';
import { killDecision } from './kill-decision.js';
import { leastPrivilege } from './least-privilege.js';
import { pgdirCache } from './pgdir-cache.js';
import { progress } from './progress.js';
import { referenceCount } from './reference-count.js';
import { stackPinned } from './stack-pinned.js';
import { switcher } from './switcher.js';
import { tableAccounting } from './table-accounting.js';
import { teardown } from './teardown.js';
import { translation } from './translation.js';

export const INVARIANTS: readonly Invariant[] = [
  hostIntact,
  progress,
  confinement,
  leastPrivilege,
  switcher,
  stackPinned,
  kernelBroadcast,
  pgdirCache,
  flush,
  tableAccounting,
  teardown,
  deathIsFinal,
  accessedDirty,
  coherence,
  referenceCount,
  killDecision,
  translation,
  determinism,
];

export const invariantNamed = (id: string): Invariant | undefined =>
  INVARIANTS.find((invariant) => invariant.id === id);

/** Whom a finding harms: declared by the invariant that it is named after, or by the rule for subjects. */
export const harmOf = (id: string): Invariant['harms'] =>
  invariantNamed(id)?.harms ?? (isSubjectFailure(id) ? SUBJECT_RULE.harms : 'guest');
