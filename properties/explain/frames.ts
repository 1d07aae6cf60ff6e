/** The moments of a run as frames, and what each step changed. */

import { describeEntry, describeOutcome, describeStep, formatHex, formatHexEntry } from '../formats/index.js';
import type { EntryChange, Observation, Paging, Program, SwitcherReferences } from '../../model/vocabulary/index.js';
import { bareOutcome, pagingSizes } from '../../model/vocabulary/index.js';
import type { Divergence, Place } from '../divergence.js';
import { describePlace, isSubjectFailure } from '../divergence.js';
import { changesOf } from './changes.js';
import { guestState, mostImportant, pagingLevels, shadowState } from './table-rows.js';
import { machineText, meaningOf } from './meaning.js';
import type { Rerun, RerunMoment } from './rerun.js';
import type { Roles } from './meaning.js';
import type { Compared, Frame, ReferenceRow, StoreRow } from './explanation.js';
import type { Location } from '../invariants/violation.js';

/** Frames that an explanation keeps: creation, and the last ones. */
export const MOST_FRAMES = 64;

export interface FrameContext {
  readonly program: Program;
  readonly divergence: Divergence;
  readonly roles: Roles;
}

/** Runs the program and answers its frames, the changes of each step, and the last two moments. */
export const takeFrames = (
  rerun: Rerun,
  context: FrameContext,
): {
  readonly frames: readonly Frame[];
  /** By step. */
  readonly changes: readonly (readonly string[])[];
  readonly last: readonly [moment: RerunMoment, before: RerunMoment | undefined];
} => {
  const { program, divergence, roles } = context;
  const frames: Frame[] = [];
  const changes: (readonly string[])[] = [];
  const pair: RerunMoment[] = [];
  const leftOut = framesLeftOut(divergence, program);
  rerun.run(divergence, (moment, before) => {
    const changed = changesOf(moment, before, program, roles);
    if (moment.place.kind === 'step') changes[moment.place.index] = changed;
    if (moment.place.kind !== 'step' || moment.place.index >= leftOut)
      frames.push(frameOf(moment, before, changed, rerun, context));
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
  moment: RerunMoment,
  before: RerunMoment | undefined,
  changes: readonly string[],
  { guest, history }: Rerun,
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

type BothSides = Pick<Frame, 'outcome' | 'counts' | 'references' | 'stores'>;

/** `mark`: the divergence, where it shows. */
export const bothSides = (
  moment: RerunMoment,
  before: RerunMoment | undefined,
  paging: Paging,
  mark: Divergence | undefined,
): BothSides => {
  const field = mark?.field;
  return {
    outcome: compared('outcome', outcomeText(moment.reference), outcomeText(moment.subject), undefined, field),
    counts: counts(moment, before, field),
    references: referenceRows(moment, before, mark?.location),
    stores: moment.place.kind === 'end' ? [] : storeRows(moment, paging, mark?.location),
  };
};

const outcomeText = ({ outcome }: Observation): string => describeOutcome(outcome);

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
  differs: expected !== actual,
  changed: earlier !== undefined && earlier !== actual,
  divergent: field === name,
});

const counts = (
  { reference, subject }: RerunMoment,
  before: RerunMoment | undefined,
  field: string | undefined,
): Compared[] => {
  if (!isComparable({ reference, subject })) return [];
  const expected = countsOf(reference);
  const earlier = before === undefined ? undefined : countsOf(before.subject);
  return [...countsOf(subject)].map(([name, actual]) =>
    compared(name, expected.get(name) ?? '0', actual, earlier?.get(name), field),
  );
};

/** Of a bare outcome nothing else is known. */
const isComparable = ({ reference, subject }: Pick<RerunMoment, 'reference' | 'subject'>): boolean =>
  !bareOutcome(reference.outcome.kind) && !bareOutcome(subject.outcome.kind);

const countsOf = ({ tables, switcher }: Observation): ReadonlyMap<string, string> =>
  new Map([['tables', String(tables)], ...switcherCounts(switcher)]);

const switcherCounts = ({ text, state, registers }: SwitcherReferences): [string, string][] => [
  ['switcher.text', String(text)],
  ['switcher.registers', String(registers)],
  ...state.map((count, cpu): [string, string] => [`switcher.state[${cpu}]`, String(count)]),
];

const referenceRows = (
  moment: RerunMoment,
  before: RerunMoment | undefined,
  location: Location | undefined,
): readonly ReferenceRow[] => {
  const { referenceCounts, subjectCounts } = moment;
  const comparable = isComparable(moment);
  const earlier = [before?.referenceCounts, before?.subjectCounts] as const;
  const pages = new Set([...referenceCounts.keys(), ...subjectCounts.keys()]);
  for (const counts of earlier) for (const page of counts?.keys() ?? []) pages.add(page);
  if (location?.page !== undefined) pages.add(location.page);
  const rows = [...pages]
    .toSorted((one, other) => one - other)
    .map((page): ReferenceRow => {
      const expected = referenceCounts.get(page) ?? 0;
      const actual = subjectCounts.get(page) ?? 0;
      const changed = expected !== (earlier[0]?.get(page) ?? 0) || actual !== (earlier[1]?.get(page) ?? 0);
      return {
        page,
        expected,
        actual,
        differs: comparable && expected !== actual,
        changed,
        divergent: location?.page === page,
      };
    });
  return mostImportant(rows, ({ differs, changed, divergent }) => differs || changed || divergent);
};

const storeRows = (
  { reference, subject }: RerunMoment,
  paging: Paging,
  location: Location | undefined,
): readonly StoreRow[] => {
  const expected = bareOutcome(reference.outcome.kind) ? [] : reference.stores;
  const actual = bareOutcome(subject.outcome.kind) ? [] : subject.stores;
  const addresses = [...new Set([...expected, ...actual].map(({ paddr }) => paddr))];
  return addresses.map((paddr): StoreRow => {
    const there = (stores: readonly EntryChange[]): EntryChange | undefined =>
      stores.findLast((store) => store.paddr === paddr);
    const [want, got] = [there(expected), there(actual)];
    const words = (store: EntryChange): [string, string] => [
      formatHexEntry(store.value),
      describeEntry(store.value, paging),
    ];
    const [expectedWord, expectedText] = want === undefined ? [] : words(want);
    const [actualWord, actualText] = got === undefined ? [] : words(got);
    return {
      paddr: formatHex(paddr),
      ...(expectedWord === undefined ? {} : { expected: expectedWord }),
      ...(actualWord === undefined ? {} : { actual: actualWord }),
      ...(expectedText === undefined ? {} : { expectedText }),
      ...(actualText === undefined ? {} : { actualText }),
      differs: expectedWord !== actualWord,
      divergent: location?.paddr === paddr,
    };
  });
};

/** Steps taken, the one that diverges included; of a side that did not answer, all may matter. */
export const reachedSteps = (divergence: Divergence, { steps }: Program): number => {
  const { place } = divergence;
  if (place.kind === 'step') return place.index + 1;
  return place.kind === 'create' && !isSubjectFailure(divergence.invariant) ? 0 : steps.length;
};
