/** Both sides of a program, step by step. */

import type { Observable, Observation, Program, Trace } from '../../model/vocabulary/index.js';
import type { Divergence, Place } from '../../properties/divergence.js';
import { samePlace, signatureOf } from '../../properties/divergence.js';
import type { Finding } from '../../properties/finding.js';
import { describeObservation, traceToJson } from '../../properties/formats/index.js';
import type { Asking } from '../../properties/invariants/asking.js';
import type { Answer } from '../../properties/subjects/subject.js';
import { labelled } from '../terminal/labelled.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import {
  divergenceLines,
  machineLine,
  momentLine,
  programListing,
  sidesLine,
  signatureLine,
  stepLine,
} from './finding-text.js';

type Look = Pick<Session, 'width' | 'colors'>;

/** A side's name and what it answered. */
export interface SideAnswer {
  readonly name: string;
  readonly observes: readonly Observable[];
  readonly answer: Answer;
}

export interface Replayed {
  readonly program: Program;
  readonly model: SideAnswer;
  readonly subject: SideAnswer;
  /** Which invariants could be asked. */
  readonly asking: readonly (Asking & { readonly id: string })[];
  readonly divergence: Divergence | undefined;
}

/** A moment at which both sides can be compared; there is no observation at the end of the steps. */
interface Instant {
  readonly place: Place;
  readonly line: (marked: boolean) => string;
  readonly model: Observation | undefined;
  readonly subject: Observation | undefined;
}

const INDENT = 6;

export const replayReport = (replayed: Replayed, look: Look): readonly string[] => {
  const { program, divergence } = replayed;
  return [
    machineLine(program, look.width),
    ...instantsOf(replayed, look.width).flatMap((instant) => instantLines(instant, replayed, look)),
    ...(divergence === undefined ? [] : failures(replayed)),
  ];
};

/** A finding that is not run again: the program, and what was recorded when it ran. */
export const recordedReport = (
  { case: recorded, subject, reference, divergence }: Finding,
  look: Look,
): readonly string[] => [
  sidesLine({ reference, subject, traffic: recorded.traffic }, look.width),
  ...programListing(recorded.program, divergence.place, look),
  ...divergenceLines(divergence, look),
  signatureLine('recorded', signatureOf(divergence), look.width),
];

const instantsOf = ({ program, model, subject }: Replayed, width: number): readonly Instant[] => {
  const one = traceIn(model.answer);
  const other = traceIn(subject.answer);
  const moment = (kind: 'create' | 'end' | 'destroy') => (marked: boolean) => momentLine(program, kind, marked, width);
  return [
    { place: { kind: 'create' }, line: moment('create'), model: one?.created, subject: other?.created },
    ...program.steps.map((_, index): Instant => ({
      place: { kind: 'step', index },
      line: (marked) => stepLine(program, index, marked, width),
      model: one?.steps[index],
      subject: other?.steps[index],
    })),
    { place: { kind: 'end' }, line: moment('end'), model: undefined, subject: undefined },
    { place: { kind: 'destroy' }, line: moment('destroy'), model: one?.destroyed, subject: other?.destroyed },
  ];
};

const traceIn = (answer: Answer): Trace | undefined => (answer.kind === 'trace' ? answer.trace : undefined);

const instantLines = (instant: Instant, replayed: Replayed, look: Look): readonly string[] => {
  const { divergence } = replayed;
  const { colors } = look;
  const here = divergence !== undefined && samePlace(divergence.place, instant.place);
  if (instant.place.kind === 'end' && !here) return [];
  const head = instant.line(here);
  const sides = sideLines(instant, replayed, look);
  if (!here) return [head, ...sides];
  const title = colors.red(labelled('breaks', printable(divergence.invariant), look.width, 2));
  return [colors.bold(colors.red(head)), ...sides, title, ...divergenceLines(divergence, look)];
};

const sideLines = (instant: Instant, { model, subject }: Replayed, { colors, width }: Look): readonly string[] => {
  const compared = model.observes.filter((each) => subject.observes.includes(each));
  const describe = (seen: Observation | undefined, observes: readonly Observable[]): string | undefined =>
    seen === undefined ? undefined : describeObservation(seen, observes);
  const both = describe(instant.model, compared);
  if (both !== undefined && both === describe(instant.subject, compared))
    return [colors.dim(labelled('both', both, width, INDENT))];
  const one = describe(instant.model, model.observes);
  const other = describe(instant.subject, subject.observes);
  const lines: string[] = [];
  if (one !== undefined) lines.push(colors.green(labelled(sideName(model), one, width, INDENT)));
  if (other !== undefined) lines.push(colors.red(labelled(sideName(subject), other, width, INDENT)));
  return lines;
};

/** An exec: name is a whole command line; the word before the colon says enough beside an observation. */
const sideName = ({ name }: SideAnswer): string => `${name.startsWith('exec:') ? 'exec' : printable(name)} `;

const failures = ({ model, subject }: Replayed): readonly string[] =>
  [model, subject].flatMap(({ name, answer }) =>
    answer.kind === 'failed' ? [`${printable(name)}: ${answer.failure}: ${printable(answer.detail)}`] : [],
  );

/** The JSON lines of both sides: a trace, or how the side failed. */
export const replayJson = (source: string, { model, subject, asking, divergence }: Replayed): readonly string[] => {
  const line = (side: 'reference' | 'subject', { name, observes, answer }: SideAnswer): string =>
    JSON.stringify(
      answer.kind === 'trace'
        ? { source, side, name, trace: traceToJson(answer.trace, observes) }
        : { source, side, name, failure: answer.failure, detail: answer.detail },
    );
  const notAsked = asking.filter(({ asked }) => asked !== 'fully');
  return [
    line('reference', model),
    line('subject', subject),
    JSON.stringify({ source, divergence: divergence ?? null, ...(notAsked.length === 0 ? {} : { notAsked }) }),
  ];
};
