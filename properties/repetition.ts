/** Comparing two runs of one program on one machine, for the invariant `determinism`. */

import { traceToJson } from './formats/index.js';
import type { Program, Trace } from '../model/vocabulary/index.js';
import type { Divergence, Place } from './divergence.js';
import { determinism } from './invariants/determinism.js';
import type { Stage } from './invariants/moment.js';

/** Where the second trace of a program first differs from the first, if it does. */
export const firstDifference = (program: Program, first: Trace, second: Trace): Divergence | undefined => {
  const one = moments(program, first);
  const other = moments(program, second);
  for (const [index, { text, place, stage }] of one.entries()) {
    const again = other[index].text;
    if (again !== text) return differs(place, stage, text, again);
  }
  return undefined;
};

interface Taken {
  readonly text: string;
  readonly place: Place;
  readonly stage: Stage;
}

const moments = (program: Program, trace: Trace): Taken[] => {
  const { created, steps, destroyed } = traceToJson(trace);
  return [
    { text: JSON.stringify(created), place: { kind: 'create' }, stage: 'create' },
    ...steps.map((step, index): Taken => {
      return { text: JSON.stringify(step), place: { kind: 'step', index }, stage: program.steps[index].op };
    }),
    { text: JSON.stringify(destroyed), place: { kind: 'destroy' }, stage: 'destroy' },
  ];
};

const differs = (place: Place, stage: Stage, expected: string, actual: string): Divergence => ({
  invariant: determinism.id,
  kind: 'another-answer-again',
  alsoBroken: [],
  place,
  stage,
  field: 'observation',
  expected,
  actual,
  difference: 'another answer the second time',
});
