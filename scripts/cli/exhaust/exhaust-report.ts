/** What `exhaust` prints: a line for every exploration, then the shortest counterexample, or what the run has shown. */

import { programToJson } from '../../../properties/formats/index.js';
import { describePlace, signatureOf } from '../../../properties/divergence.js';
import type { ExhaustOptions, ExhaustResult, Exploration } from '../../../properties/exhaust/exhaust.js';
import type { Counterexample, ExploreEnd } from '../../../properties/exhaust/exploration.js';
import { divergenceLines, programListing } from '../../report/finding-text.js';
import { labelled, wrapped } from '../../terminal/labelled.js';
import { compactCount, counted, formatCount } from '../../terminal/numbers.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';

export const EXHAUST_FORMAT = 'shadowdiff-exhaust/1';

const COLUMNS = [8, 8, 6, 12, 14, 9] as const;

const row = (cells: readonly string[], end: string): string =>
  `${cells.map((cell, at) => (at < 2 ? cell.padEnd(COLUMNS[at]) : cell.padStart(COLUMNS[at]))).join('')}  ${end}`;

export const explorationHead = ({ colors }: Session): string =>
  colors.bold(row(['paging', 'kernel', 'depth', 'states', 'transitions', 'states/s'], 'ended by'));

export const explorationLine = ({ paging, kernel, result }: Exploration, milliseconds: number): string => {
  const { depth, states, transitions, end } = result;
  const rate = milliseconds <= 0 ? '-' : compactCount((states / milliseconds) * 1000);
  return row([paging, kernel, String(depth), formatCount(states), formatCount(transitions), rate], endText(end));
};

const endText = (end: ExploreEnd): string => {
  switch (end.kind) {
    case 'closed':
      return 'no step leads to a new state';
    case 'depth':
      return '--depth reached';
    case 'states':
      return '--max-states reached';
    case 'memory':
      return 'out of memory';
    case 'stopped':
      return 'interrupted';
    case 'divergence':
      return `a program of ${counted(end.found.program.steps.length, 'step')} diverges`;
    default:
      return end satisfies never;
  }
};

export const counterexampleReport = (found: Counterexample, session: Session): readonly string[] => {
  const { program, divergence, shortest } = found;
  const { colors, width } = session;
  return [
    colors.bold(`shortest counterexample: ${printable(signatureOf(divergence))}`),
    labelled('at', describePlace(divergence.place), width, 2),
    ...divergenceLines(divergence, session),
    '',
    ...programListing(program, divergence.place, session),
    '',
    ...wrapped(
      shortest
        ? `no program of these alphabets with fewer than ${counted(program.steps.length, 'step')} diverges`
        : 'it does not diverge without the steps that seem to change nothing: the machine has state that it does not reveal',
      width,
    ),
  ];
};

/** What a run without divergence has shown. */
export const agreement = (options: ExhaustOptions, { explorations }: ExhaustResult, { width }: Session): string => {
  const states = explorations.reduce((sum, { result }) => sum + result.states, 0);
  const transitions = explorations.reduce((sum, { result }) => sum + result.transitions, 0);
  const depth = Math.min(...explorations.map(({ result }) => (result.end.kind === 'closed' ? Infinity : result.depth)));
  const programs =
    depth === Infinity ? 'every program, however long,' : `every program of at most ${counted(depth, 'step')}`;
  return wrapped(
    `${options.subject.name} agrees with ${options.model.name} in ${programs} of these alphabets: ` +
      `${counted(states, 'state')}, ${counted(transitions, 'transition')}`,
    width,
  ).join('\n');
};

export const exhaustJson = (
  options: ExhaustOptions,
  { explorations, found }: ExhaustResult,
  time: { readonly milliseconds: number },
): string =>
  JSON.stringify({
    format: EXHAUST_FORMAT,
    subject: options.subject.name,
    reference: options.model.name,
    machine: options.machine,
    folding: options.folding,
    explorations: explorations.map(({ paging, kernel, result: { end, ...counts } }) => ({
      paging,
      kernel,
      ...counts,
      end: end.kind,
    })),
    counterexample: found === undefined ? null : counterexampleJson(found),
    time,
  });

const counterexampleJson = ({ program, divergence, shortest }: Counterexample): object => ({
  signature: signatureOf(divergence),
  shortest,
  divergence,
  program: programToJson(program),
});
