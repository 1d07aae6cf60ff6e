/** Racy guests (machine.md 6): coherent ones whose announcements come late or never, and that look at what they have changed meanwhile. */

import type { AccessStep, Program, SetPteStep, Step } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';

/** The longest delay of an announcement, in steps. */
const LATEST = 16;

/** A racy program of at most `mostSteps` steps. */
export const withLateAnnouncements = (draw: Draw, { machine, steps }: Program, mostSteps: number): Program => {
  const racy: Step[] = [];
  const late: { readonly step: Step; readonly due: number }[] = [];
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1];
    // What is mapped before the change may be answered after it.
    if (step.op === 'store' && next?.op === 'set-pte') racy.push(probe(draw, next));
    const fate = isAnnouncement(step) ? draw.bits(2) : IN_TIME;
    if (fate === IN_TIME) racy.push(step);
    if (fate === LATE) late.push({ step, due: racy.length + draw.below(LATEST) });
    if (step.op === 'set-pte') racy.push(probe(draw, step));
    while (late.length > 0 && late[0].due <= racy.length) racy.push(late.shift()!.step);
  }
  return { machine, steps: racy.slice(0, mostSteps) };
};

/** What becomes of an announcement, by two random bits; with any others it is never made. */
const IN_TIME = 0;
const LATE = 1;

const isAnnouncement = ({ op }: Step): boolean =>
  op === 'set-pte' || op === 'set-pgd' || op === 'set-pmd' || op === 'flush-tlb';

const probe = (draw: Draw, { vaddr }: SetPteStep): AccessStep => ({
  op: 'access',
  vaddr,
  kind: draw.bits(1) === 0 ? 'read' : 'write',
  mode: draw.bits(1) === 0 ? 'user' : 'kernel',
});
