/** A whole program for the eye, with a mark where it goes wrong. */

import { describeMachine, describeStep } from '../../properties/formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import type { Place } from '../../properties/divergence.js';
import type { Colors } from '../terminal/session.js';

export const MARK = '>';

/** Digits of the last step's number, at least two. */
export const numberColumns = (program: Program): number => Math.max(2, String(program.steps.length - 1).length);

/** The line of a step: mark, number, step. */
export const stepLine = (program: Program, index: number, marked: boolean): string => {
  const number = String(index).padStart(numberColumns(program));
  return `${marked ? MARK : ' '} ${number}  ${describeStep(program.steps[index], program.machine.paging)}`;
};

/** The line of a moment that is no step. */
export const momentLine = (program: Program, name: string, marked: boolean): string =>
  `${marked ? MARK : ' '} ${''.padStart(numberColumns(program))}  ${name}`;

/** The machine and every step; `create`, `end` and `destroy` are listed only if they are marked. */
export const programListing = (program: Program, marked: Place, colors: Colors): readonly string[] => {
  const emphasize = (line: string): string => colors.bold(colors.red(line));
  const moment = (kind: 'create' | 'end' | 'destroy'): string[] =>
    marked.kind === kind ? [emphasize(momentLine(program, kind, true))] : [];
  const steps = program.steps.map((_, index) => {
    const here = marked.kind === 'step' && marked.index === index;
    const line = stepLine(program, index, here);
    return here ? emphasize(line) : line;
  });
  const machine = momentLine(program, `machine     ${describeMachine(program.machine)}`, false);
  return [machine, ...moment('create'), ...steps, ...moment('end'), ...moment('destroy')];
};
