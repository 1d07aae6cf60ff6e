/** Which steps of a long program a report shows: its first ones, and those around the divergence. */

import type { Place } from '../../properties/divergence.js';
import type { Finding } from '../../properties/finding.js';
import { describeMachine, describeStep } from '../../properties/formats/index.js';
import { counted } from '../terminal/numbers.js';

/** Up to this many steps, a program is shown whole. */
const LONGEST_WHOLE = 200;
const FIRST = 16;
const BEFORE = 100;
const AFTER = 20;

/** A step, or how many steps are left out at this place. */
export type ShownStep =
  { readonly kind: 'step'; readonly index: number } | { readonly kind: 'left-out'; readonly count: number };

/** In order. `place`: where the program of `count` steps diverges; `focus`: another step to show, if any. */
export const shownSteps = (count: number, place: Place, focus?: number): readonly ShownStep[] => {
  const at = place.kind === 'step' ? place.index : place.kind === 'create' ? 0 : count - 1;
  const isShown = (index: number): boolean =>
    count <= LONGEST_WHOLE || index < FIRST || (at - BEFORE <= index && index <= at + AFTER) || index === focus;
  const shown: ShownStep[] = [];
  let leftOut = 0;
  for (let index = 0; index < count; index++) {
    if (!isShown(index)) {
      leftOut++;
      continue;
    }
    if (leftOut > 0) shown.push({ kind: 'left-out', count: leftOut });
    leftOut = 0;
    shown.push({ kind: 'step', index });
  }
  return leftOut === 0 ? shown : [...shown, { kind: 'left-out', count: leftOut }];
};

export const leftOutText = (count: number): string => `… ${counted(count, 'step')} left out …`;

/** The machine and the shown steps, as text; `isWhole`: no step is left out. */
export const shownListing = ({
  case: { program },
  divergence: { place },
}: Finding): { readonly lines: readonly string[]; readonly isWhole: boolean } => {
  const { machine, steps } = program;
  const shown = shownSteps(steps.length, place);
  const lines = shown.map((each) =>
    each.kind === 'step' ? describeStep(steps[each.index], machine) : leftOutText(each.count),
  );
  return { lines: [describeMachine(machine), ...lines], isWhole: shown.every(({ kind }) => kind === 'step') };
};
