/** The moments of a run as frames, and what each step changed. */

import { describeStep } from '../formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import { pagingSizes } from '../../model/vocabulary/index.js';
import type { Divergence, Place } from '../divergence.js';
import { describePlace } from '../divergence.js';
import { bothSides } from './both-sides.js';
import { changesOf } from './changes.js';
import { guestState } from './guest-rows.js';
import { pagingLevels } from './levels.js';
import { machineText, meaningOf } from './meaning.js';
import { reachedSteps } from './reached.js';
import type { Moment, Retelling } from './retelling.js';
import type { Roles } from './roles.js';
import { shadowState } from './shadow-rows.js';
import type { Frame } from './story.js';

/** Frames that a story keeps: creation, and the last ones. */
export const MOST_FRAMES = 64;

export interface FrameContext {
  readonly program: Program;
  readonly divergence: Divergence;
  readonly roles: Roles;
}

/** Runs the program and answers its frames, the changes of each step, and the last two moments. */
export const takeFrames = (
  retelling: Retelling,
  context: FrameContext,
): {
  readonly frames: readonly Frame[];
  /** By step. */
  readonly changes: readonly (readonly string[])[];
  readonly last: readonly [moment: Moment, before: Moment | undefined];
} => {
  const { program, divergence, roles } = context;
  const frames: Frame[] = [];
  const changes: (readonly string[])[] = [];
  const pair: Moment[] = [];
  const leftOut = framesLeftOut(divergence, program);
  retelling.run(divergence, (moment, before) => {
    const changed = changesOf(moment, before, program, roles);
    if (moment.place.kind === 'step') changes[moment.place.index] = changed;
    if (moment.place.kind !== 'step' || moment.place.index >= leftOut)
      frames.push(frameOf(moment, before, changed, retelling, context));
    pair.push(moment);
    if (pair.length > 2) pair.shift();
  });
  const last = pair.at(-1);
  if (last === undefined) throw new Error('a run has at least its creation');
  return { frames, changes, last: [last, pair.length > 1 ? pair[0] : undefined] };
};

/** How many steps have no frame. */
export const framesLeftOut = (divergence: Divergence, program: Program): number =>
  Math.max(0, reachedSteps(divergence, program) - (MOST_FRAMES - 1));

const frameOf = (
  moment: Moment,
  before: Moment | undefined,
  changes: readonly string[],
  { guest, history }: Retelling,
  { program, divergence, roles }: FrameContext,
): Frame => {
  const { place, shadow } = moment;
  const { machine } = program;
  const diverges = samePlace(place, divergence.place);
  const location = diverges ? (divergence.location ?? {}) : undefined;
  const levels = pagingLevels(machine.paging);
  const { switcherAddress } = pagingSizes(machine.paging);
  const step = place.kind === 'step' ? place.index : undefined;
  return {
    place,
    name: describePlace(place),
    listing: listingOf(place, program),
    meaning: meaningOf(place, program, roles),
    diverges,
    changes,
    ...bothSides(moment, before, machine.paging, diverges ? divergence : undefined),
    guest: guestState({ guest, history, levels, step, location }, shadow),
    ...(shadow === undefined
      ? {}
      : { shadow: shadowState(shadow, before?.shadow, { levels, switcherAddress, location }) }),
  };
};

const listingOf = (place: Place, program: Program): string => {
  if (place.kind === 'step') return describeStep(program.steps[place.index], program.machine.paging);
  return place.kind === 'create' ? machineText(program) : place.kind;
};

const samePlace = (one: Place, other: Place): boolean =>
  one.kind === other.kind && (one.kind !== 'step' || other.kind !== 'step' || one.index === other.index);
