/** What comes of an access, and which right was refused. */

import type { AccessStep } from '../../../model/vocabulary/index.js';
import { FAULT_PRESENT } from '../../../model/vocabulary/index.js';
import type { Moment } from '../invariant.js';
import { pureWalk } from '../../pure-walk.js';

export const ANSWERS = [
  'hit',
  'filled',
  'Switcher’s address',
  'not present',
  'write refused',
  'user refused',
  'both refused',
  'device',
  'killed',
] as const;

const [HIT, FILLED, SWITCHERS, NOT_PRESENT, WRITE_REFUSED, USER_REFUSED, BOTH_REFUSED, DEVICE, KILLED] = ANSWERS.keys();

/** Index into `ANSWERS`; what is wrong with a machine (stuck, a host bug) counts as a kill. */
export const answerOf = (step: AccessStep, moment: Moment, shadowChanged: boolean): number => {
  if (moment.subjectKind === 'mapped') return shadowChanged ? FILLED : HIT;
  if (moment.subjectKind === 'mmio') return DEVICE;
  return moment.subjectKind === 'fault' ? refusal(step, moment) : KILLED;
};

const refusal = (step: AccessStep, { subject, guest }: Moment): number => {
  if (step.vaddr >= guest.sizes.switcherAddress) return SWITCHERS;
  if (subject.outcome.kind !== 'fault' || (subject.outcome.code & FAULT_PRESENT) === 0) return NOT_PRESENT;
  const walk = pureWalk(guest, step.vaddr);
  const writeRefused = step.kind === 'write' && !(walk.kind === 'leaf' && walk.writable);
  if (!writeRefused) return USER_REFUSED;
  return step.mode === 'user' && !(walk.kind === 'leaf' && walk.user) ? BOTH_REFUSED : WRITE_REFUSED;
};
