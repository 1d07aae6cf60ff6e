/** The moments of a run as frames, and what each step changed. */

import type { Profile } from '../profile.js';
import {
  describeEntry,
  describeMachine,
  describeOutcome,
  describeStep,
  formatHex,
  formatHexEntry,
} from '../formats/index.js';
import type { GuestEntry, MachineConfig, Paddr, Program, SwitcherReferences } from '../../model/vocabulary/index.js';
import { bareOutcome, pagingSizes, sameEntry } from '../../model/vocabulary/index.js';
import type { Divergence, Place } from '../divergence.js';
import { describePlace, isSubjectFailure, samePlace } from '../divergence.js';
import { changesOf } from './changes.js';
import { guestState, mostImportant, pagingLevels, shadowState } from './table-rows.js';
import { meaningOf } from './meaning.js';
import type { Roles } from './meaning.js';
import type { Rerun, RerunMoment, Seen } from './rerun.js';
import type { Compared, Frame, ReferenceRow, StoreRow } from './explanation.js';
import { UNKNOWN } from './explanation.js';
import type { Location } from '../invariants/invariant.js';

/** Frames that an explanation keeps: creation, and the last ones. */
export const MOST_FRAMES = 64;

export interface FrameContext {
  readonly program: Program;
  /** Undefined for a program on which both sides agree. */
  readonly divergence: Divergence | undefined;
  readonly roles: Roles;
  readonly profile: Profile;
}

export interface Frames {
  readonly frames: readonly Frame[];
  /** By step. */
  readonly changes: readonly (readonly string[])[];
  readonly last: readonly [moment: RerunMoment, before: RerunMoment | undefined];
}

/** Runs the program: its frames, what each step changed, and the last two moments. */
export const takeFrames = (rerun: Rerun, context: FrameContext): Frames => {
  const { program, divergence, roles, profile } = context;
  const frames: Frame[] = [];
  const changes: (readonly string[])[] = [];
  const leftOut = framesLeftOut(divergence, program);
  let last: Frames['last'] | undefined;
  for (const moment of rerun.moments(divergence?.place ?? { kind: 'destroy' })) {
    const before = last?.[0];
    const changed = changesOf(moment, before, program, roles, profile);
    const index = moment.place.kind === 'step' ? moment.place.index : undefined;
    if (index !== undefined) changes[index] = changed;
    if (index === undefined || index >= leftOut) frames.push(frameOf(moment, before, changed, rerun, context));
    last = [moment, before];
  }
  if (last === undefined) throw new Error('a run has at least its creation');
  return { frames, changes, last };
};

/** How many steps have no frame. */
export const framesLeftOut = (divergence: Divergence | undefined, program: Program): number =>
  Math.max(0, reachedSteps(divergence, program) - (MOST_FRAMES - 1));

const frameOf = (
  moment: RerunMoment,
  before: RerunMoment | undefined,
  changes: readonly string[],
  { guest, history }: Rerun,
  { program, divergence, roles, profile }: FrameContext,
): Frame => {
  const { place, model, subject } = moment;
  const shadow = moment.shadowIsOld ? undefined : moment.shadow;
  const { paging } = program.machine;
  const broken = divergence !== undefined && samePlace(place, divergence.place) ? divergence : undefined;
  const location = broken && (broken.location ?? {});
  const field = broken?.field;
  const levels = pagingLevels(paging);
  const { switcherAddress } = pagingSizes(paging);
  const step = place.kind === 'step' ? place.index : undefined;
  const [expected, actual] = [describeOutcome(model.outcome), describeOutcome(subject.outcome)];
  return {
    place,
    name: describePlace(place),
    listing: listingOf(place, program),
    meaning: meaningOf(place, program, roles, profile),
    diverges: broken !== undefined,
    changes,
    outcome: compared('outcome', expected, actual, undefined, field),
    counts: counts(moment, before, field),
    references: referenceRows(moment, before, location),
    stores: place.kind === 'end' ? [] : storeRows(moment, program.machine, location),
    guest: guestState({ guest, history, levels, step, location }, shadow),
    shadow: shadow && shadowState(shadow, before?.shadow, { levels, switcherAddress, location }),
  };
};

const listingOf = (place: Place, program: Program): string => {
  if (place.kind === 'step') return describeStep(program.steps[place.index], program.machine);
  return place.kind === 'create' ? describeMachine(program.machine) : place.kind;
};

/** `field`: the one that the divergence is about, where it shows. */
const compared = (
  name: string,
  expected: string,
  actual: string,
  earlier: string | undefined,
  field: string | undefined,
): Compared => ({
  field: name,
  expected,
  actual,
  differs: expected !== UNKNOWN && actual !== UNKNOWN && expected !== actual,
  changed: earlier !== undefined && earlier !== actual,
  divergent: field === name,
});

const counts = (
  moment: RerunMoment,
  before: RerunMoment | undefined,
  field: string | undefined,
): readonly Compared[] => {
  if (!isComparable(moment)) return [];
  const expected = countsOf(moment.model);
  const actual = countsOf(moment.subject);
  const earlier = before === undefined ? undefined : countsOf(before.subject);
  return [...new Set([...actual.keys(), ...expected.keys()])].map((name) =>
    compared(name, expected.get(name) ?? UNKNOWN, actual.get(name) ?? UNKNOWN, earlier?.get(name), field),
  );
};

/** Of a bare outcome nothing else is known. */
const isComparable = ({ model, subject }: RerunMoment): boolean =>
  !bareOutcome(model.outcome.kind) && !bareOutcome(subject.outcome.kind);

const countsOf = ({ tables, switcher }: Seen): ReadonlyMap<string, string> =>
  new Map([
    ...(tables === undefined ? [] : [['tables', String(tables)] as const]),
    ...(switcher === undefined ? [] : switcherCounts(switcher)),
  ]);

const switcherCounts = ({ text, registers, state }: SwitcherReferences): readonly (readonly [string, string])[] => [
  ['switcher.text', String(text)],
  ['switcher.registers', String(registers)],
  ...state.map((count, cpu) => [`switcher.state[${cpu}]`, String(count)] as const),
];

const referenceRows = (
  moment: RerunMoment,
  before: RerunMoment | undefined,
  location: Location | undefined,
): readonly ReferenceRow[] => {
  const { modelCounts, subjectCounts } = moment;
  const comparable = isComparable(moment);
  const all = [modelCounts, subjectCounts, before?.modelCounts, before?.subjectCounts];
  const pages = new Set(all.flatMap((each) => [...(each?.keys() ?? [])]));
  if (location?.page !== undefined) pages.add(location.page);
  const rows = [...pages]
    .toSorted((one, other) => one - other)
    .map((page): ReferenceRow => {
      const [expected, actual, ...earlier] = all.map((each) => each?.get(page) ?? 0);
      return {
        page,
        expected: modelCounts && expected,
        actual: subjectCounts && actual,
        differs: comparable && modelCounts !== undefined && subjectCounts !== undefined && expected !== actual,
        changed: expected !== earlier[0] || actual !== earlier[1],
        divergent: location?.page === page,
      };
    });
  return mostImportant(rows, ({ differs, changed, divergent }) => differs || changed || divergent);
};

const storeRows = (
  { model, subject }: RerunMoment,
  machine: MachineConfig,
  location: Location | undefined,
): readonly StoreRow[] => {
  const [want, got] = [lastStores(model), lastStores(subject)];
  const comparable = model.stores !== undefined && subject.stores !== undefined;
  return [...new Set([...want.keys(), ...got.keys()])].map((paddr): StoreRow => {
    const [expected, actual] = [want.get(paddr), got.get(paddr)];
    return {
      paddr: formatHex(paddr),
      expected: expected && formatHexEntry(expected),
      actual: actual && formatHexEntry(actual),
      expectedText: model.stores === undefined ? UNKNOWN : expected && describeEntry(expected, machine),
      actualText: subject.stores === undefined ? UNKNOWN : actual && describeEntry(actual, machine),
      differs: comparable && (expected === undefined || actual === undefined || !sameEntry(expected, actual)),
      divergent: location?.paddr === paddr,
    };
  });
};

/** The value that each word was left with. */
const lastStores = ({ outcome, stores = [] }: Seen): ReadonlyMap<Paddr, GuestEntry> =>
  new Map(bareOutcome(outcome.kind) ? [] : stores.map(({ paddr, value }) => [paddr, value]));

/** Steps taken, the diverging one included; all if nothing diverges. If a side did not answer, all steps may matter. */
export const reachedSteps = (divergence: Divergence | undefined, { steps }: Program): number => {
  if (divergence === undefined) return steps.length;
  const { place } = divergence;
  if (place.kind === 'step') return place.index + 1;
  return place.kind === 'create' && !isSubjectFailure(divergence.invariant) ? 0 : steps.length;
};
