/** A finding on the terminal: what went wrong, where, and the whole program. */

import type { Program } from '../../model/vocabulary/index.js';
import type { Divergence, Place } from '../../properties/divergence.js';
import { describePlace, signatureOf } from '../../properties/divergence.js';
import type { Finding } from '../../properties/finding.js';
import { isFlaky } from '../../properties/finding.js';
import { describeMachine, describeStep, visibleLines } from '../../properties/formats/index.js';
import { describeShape, shapeOf } from '../../properties/namesakes.js';
import { hanging, labelled } from '../terminal/labelled.js';
import { counted, formatCount } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import type { FindingReport } from './document/report-document.js';

/**
 * The caller adds where it is stored and how to replay it. Findings have no number: which one is found first depends on the number of
 * workers.
 */
export const findingReport = (finding: Finding, session: Session): readonly string[] => {
  const { divergence, provenance } = finding;
  const { traffic, program } = finding.case;
  const { colors, width } = session;
  return [
    colors.bold(signatureLine('finding', signatureOf(divergence), width)),
    labelled('program', `${provenance.program} of seed ${provenance.seed}, ${traffic} traffic`, width, 2),
    labelled('size', `${counted(provenance.originalSteps, 'step')}, ${sizeText(finding)}`, width, 2),
    ...(finding.namesake ? [labelled('perhaps', namesakeText(program), width, 2)] : []),
    ...memoryLines(finding, session),
    ...(isFlaky(finding) ? [colors.yellow(labelled('flaky', oftenText(finding), width, 2))] : []),
    labelled('at', placeText(divergence, program), width, 2),
    ...divergenceLines(divergence, session),
    '',
    ...programListing(program, divergence.place, session),
    '',
  ];
};

export const signatureLine = (label: 'finding' | 'diverges' | 'recorded', signature: string, width: number): string =>
  hanging('', `${label}: ${printable(signature)}`, width);

const namesakeText = (program: Program): string =>
  `another bug under a known name: it needs ${describeShape(shapeOf(program))}`;

const memoryLines = ({ before = [] }: Finding, { width }: Session): readonly string[] =>
  before.length === 0 ? [] : [labelled('behind', `${beforeText(before.length)}: ${REMEMBERS}`, width, 2)];

/** `50 other programs in the same process`. */
export const beforeText = (count: number): string => `${counted(count, 'other program')} in the same process`;
export const REMEMBERS = 'the subject remembers something from an earlier program';

/** `shows in 3 of 10 runs`: for a finding that was run again. */
export const oftenText = ({ shown }: Pick<Finding, 'shown'>): string =>
  `shows in ${shown!.times} of ${shown!.runs} runs`;

const sizeText = ({ case: { program }, shrunk }: Finding): string => {
  if (shrunk === undefined) return 'not shrunk';
  const size = `${formatCount(program.steps.length)} after shrinking`;
  return shrunk === 'partly' ? `${size} (cut short, so it may be larger than necessary)` : size;
};

const placeText = ({ place }: Divergence, program: Program): string => {
  const step = place.kind === 'step' ? program.steps[place.index] : undefined;
  const where = describePlace(place);
  return step === undefined ? where : `${where}: ${describeStep(step, program.machine).replace(/ {2,}/g, ' ')}`;
};

/** What a build server shows beside the name of a finding; not escaped. */
export const findingMessage = ({ signature, counterexample }: FindingReport): string => {
  if (counterexample === undefined) return signature;
  const { place, field, expected, actual } = counterexample;
  return `${place}: ${field}: expected ${expected}, was ${actual}`;
};

/** What the two sides disagree about. */
export const divergenceLines = (
  { field, expected, actual, alsoBroken }: Divergence,
  { width, colors }: Pick<Session, 'width' | 'colors'>,
): readonly string[] => [
  labelled('field', printable(field), width, 2),
  colors.green(labelled('expected', printable(expected), width, 2)),
  colors.red(labelled('actual', printable(actual), width, 2)),
  ...(alsoBroken.length === 0 ? [] : [labelled('also', printable(alsoBroken.join(', ')), width, 2)]),
];

/** The end of what a subject that crashed wrote to its standard error, with control characters made visible. */
export const standardErrorLines = ({ standardError }: Divergence): readonly string[] => {
  if (standardError === undefined) return [];
  const all = visibleLines(standardError.replaceAll('\r\n', '\n')).trimEnd().split('\n');
  const left = all.length - MOST_ERROR_LINES;
  return left <= 0 ? all : [`(${counted(left, 'line')} before these)`, ...all.slice(left)];
};

/** A sanitizer's report has about fifty lines. */
const MOST_ERROR_LINES = 100;

// The listing of a program, with a mark where it diverges.

export const MARK = '>';

/** Digits of the last step's number, at least two. */
const numberColumns = (program: Program): number => Math.max(2, String(program.steps.length - 1).length);

/** The line of a step: mark, number, step. */
export const stepLine = (program: Program, index: number, marked: boolean, width: number): string => {
  const number = String(index).padStart(numberColumns(program));
  return hanging(`${marked ? MARK : ' '} ${number}  `, describeStep(program.steps[index], program.machine), width);
};

/** The line of a moment that is no step. */
export const momentLine = (program: Program, name: string, marked: boolean, width: number): string =>
  hanging(`${marked ? MARK : ' '} ${''.padStart(numberColumns(program))}  `, name, width);

export const machineLine = (program: Program, width: number): string =>
  momentLine(program, `machine     ${describeMachine(program.machine)}`, false, width);

/** `  reference model, subject impl, mixed traffic`, the line below the name of a file. */
export const sidesLine = (
  { reference, subject, traffic }: Pick<Finding, 'reference' | 'subject'> & Pick<Finding['case'], 'traffic'>,
  width: number,
): string =>
  hanging('  ', `reference ${printable(reference)}, subject ${printable(subject)}, ${traffic} traffic`, width);

/** The machine and every step; other moments are listed only if they are marked. */
export const programListing = (
  program: Program,
  marked: Place,
  { colors, width }: Pick<Session, 'width' | 'colors'>,
): readonly string[] => {
  const emphasize = (line: string): string => colors.bold(colors.red(line));
  const moment = (...kinds: Place['kind'][]): string[] =>
    kinds.includes(marked.kind) ? [emphasize(momentLine(program, describePlace(marked), true, width))] : [];
  const steps = program.steps.map((_, index) => {
    const here = marked.kind === 'step' && marked.index === index;
    const line = stepLine(program, index, here, width);
    return here ? emphasize(line) : line;
  });
  return [machineLine(program, width), ...moment('create'), ...steps, ...moment('end', 'destroy', 'end-of-input')];
};
