/** A finding as it is told on the terminal: what went wrong, where, and the whole program. */

import { describeStep } from '../../properties/formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import type { Divergence } from '../../properties/divergence.js';
import { describePlace, signatureOf } from '../../properties/divergence.js';
import type { KindOfFinding } from '../../properties/fuzz.js';
import type { Session } from '../terminal/session.js';
import { labelled } from '../terminal/labelled.js';
import { counted, formatCount } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import { programListing } from './program-listing.js';

/** `number`: 1 for the first finding of the run. The caller adds where it is stored and how to replay it. */
export const findingReport = (
  finding: KindOfFinding,
  number: number,
  seed: string,
  session: Session,
): readonly string[] => {
  const { divergence, originalSteps } = finding;
  const { traffic, program } = finding.case;
  const { colors, width } = session;
  return [
    colors.bold(`finding ${number}: ${printable(signatureOf(divergence))}`),
    labelled('program', `${finding.program} of seed ${seed}, ${traffic} traffic`, width, 2),
    labelled('size', `${counted(originalSteps, 'step')}, ${sizeText(finding)}`, width, 2),
    labelled('at', placeText(divergence, program), width, 2),
    ...divergenceLines(divergence, session),
    '',
    ...programListing(program, divergence.place, colors),
    '',
  ];
};

const sizeText = ({ case: { program }, interrupted, reproduced }: KindOfFinding): string => {
  if (!reproduced) return 'not shrunk: it did not show again when run by itself';
  const size = `${formatCount(program.steps.length)} after shrinking`;
  return interrupted ? `${size} (cut short, so it may be larger than need be)` : size;
};

const placeText = ({ place }: Divergence, program: Program): string => {
  const step = place.kind === 'step' ? program.steps[place.index] : undefined;
  const where = describePlace(place);
  return step === undefined ? where : `${where}: ${describeStep(step, program.machine.paging).replace(/ {2,}/g, ' ')}`;
};

/** How two sides part. */
export const divergenceLines = (
  { field, expected, actual, alsoBroken }: Divergence,
  { width, colors }: Pick<Session, 'width' | 'colors'>,
): readonly string[] => [
  labelled('field', printable(field), width, 2),
  colors.green(labelled('expected', printable(expected), width, 2)),
  colors.red(labelled('actual', printable(actual), width, 2)),
  ...(alsoBroken.length === 0 ? [] : [labelled('also', printable(alsoBroken.join(', ')), width, 2)]),
];
