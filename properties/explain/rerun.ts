/** Runs a program again up to its divergence, and records what an explanation shows of every moment. */

import type {
  EntryChange,
  GuestEntry,
  Machine,
  Observable,
  Observation,
  Outcome,
  Paddr,
  Program,
  Step,
  SwitcherReferences,
} from '../../model/vocabulary/index.js';
import { ZERO_ENTRY, bareOutcome, sameEntry } from '../../model/vocabulary/index.js';
import type { Place, ProgramPlace } from '../divergence.js';
import { GuestRecord } from '../guest-record.js';
import type { Fill } from '../lockstep.js';
import { fillOf } from '../lockstep.js';
import type { Profile } from '../profile.js';
import { capabilitiesOfMachine, withinProfile } from '../subjects/capabilities.js';
import type { Subject } from '../subjects/subject.js';
import { RecordedMachine, keptObservation } from '../trace-of.js';
import type { ShadowSnapshot } from './shadow-snapshot.js';
import { goneLeaves, takeSnapshot } from './shadow-snapshot.js';

/** References by page, summed up from the changes that a side reported. */
export type Counts = ReadonlyMap<number, number>;

/** One side of a rerun. */
export interface Player {
  readonly machine: Machine;
  readonly observes: readonly Observable[];
  readonly upperStores: boolean;
  /** It is outside this process, and of a bare outcome it shows nothing else. */
  readonly recorded: boolean;
}

/** What a side showed of a moment; what it does not observe is undefined, and unknown. */
export interface Seen {
  readonly outcome: Outcome;
  readonly stores: readonly EntryChange[] | undefined;
  readonly tables: number | undefined;
  readonly switcher: SwitcherReferences | undefined;
}

/** One moment: what both sides answered, and what is known after it. */
export interface RerunMoment {
  readonly place: ProgramPlace;
  readonly model: Seen;
  readonly subject: Seen;
  /** Undefined for a side that does not observe references. */
  readonly modelCounts: Counts | undefined;
  readonly subjectCounts: Counts | undefined;
  /** As the subject showed it last. */
  readonly shadow: ShadowSnapshot | undefined;
  /** The subject showed no shadow at this moment, so that it may be another by now. */
  readonly shadowIsOld: boolean;
  /** The root that the guest runs on afterwards; undefined in linear mode. */
  readonly root: Paddr | undefined;
}

/** A run in progress: its fields are those of the moment that `moments` yielded last. */
export class Rerun {
  readonly guest = new GuestRecord();
  readonly history = new WordHistory();
  /** The subject exposes its shadow tables, and they could not be read at some moment. */
  unreadable = false;
  /** The step that killed the guest on the subject's side, and why. */
  killed: { readonly step: number; readonly reason: string } | undefined = undefined;
  /** The last step that took a leaf away, by `leafKey`. */
  readonly lost = new Map<string, number>();
  private readonly program: Program;
  private readonly model: Player;
  private readonly subject: Player;
  /** The guest's record needs the stores that the model does not observe. */
  private readonly fill: Fill | undefined;
  /** The subject may leave upper entries alone, where the model stores them. */
  private readonly subjectFill: Fill | undefined;
  private over = false;
  private last: RerunMoment | undefined = undefined;

  constructor(program: Program, model: Player, subject: Player) {
    this.program = program;
    this.model = model;
    this.subject = subject;
    this.fill = fillOf(model, subject);
    this.subjectFill = fillOf(subject, model);
  }

  /** Takes the program up to a place. */
  *moments(place: Place): Generator<RerunMoment, void, undefined> {
    const { machine, steps } = this.program;
    this.guest.begin(machine);
    const [model, subject] = [this.model.machine, this.subject.machine];
    let moment = this.take({ kind: 'create' }, model.create(machine), subject.create(machine));
    yield moment;
    if (place.kind === 'create') return;
    const count = place.kind === 'step' ? place.index + 1 : steps.length;
    for (let index = 0; index < count; index++) yield (moment = this.takeStep(index));
    if (place.kind === 'end') yield { ...moment, place };
    if (place.kind === 'destroy') yield this.take(place, model.destroy(), subject.destroy());
  }

  private takeStep(index: number): RerunMoment {
    const step = this.program.steps[index];
    if (!this.over) this.guest.follow(step);
    const model = this.model.machine.apply(step);
    const subject = this.subject.machine.apply(step);
    const now = { guest: this.guest, step };
    const filled = this.fill === undefined ? model : this.fill(model, subject, now);
    const filledSubject = this.subjectFill === undefined ? subject : this.subjectFill(subject, model, now);
    if (!this.over) this.history.follow(index, step, filled);
    this.guest.absorb(filled);
    const { outcome } = subject;
    this.over = bareOutcome(outcome.kind);
    if (outcome.kind === 'killed') this.killed ??= { step: index, reason: outcome.reason };
    const before = this.last;
    const moment = this.take({ kind: 'step', index }, filled, filledSubject);
    this.noteLosses(index, moment, before);
    return moment;
  }

  private take(place: ProgramPlace, model: Observation, subject: Observation): RerunMoment {
    const before = this.last;
    this.last = {
      place,
      model: seenOf(model, this.model),
      subject: seenOf(subject, this.subject),
      modelCounts: counted(before?.modelCounts, model, place, this.model),
      subjectCounts: counted(before?.subjectCounts, subject, place, this.subject),
      shadow: this.look(before, place),
      shadowIsOld: this.subject.recorded && bareOutcome(subject.outcome.kind),
      root: this.guest.root,
    };
    return this.last;
  }

  private noteLosses(index: number, { shadow }: RerunMoment, before: RerunMoment | undefined): void {
    if (shadow === undefined || shadow.shadowVersion === before?.shadow?.shadowVersion) return;
    for (const slot of shadow.slots) {
      for (const leaf of goneLeaves(slot, before?.shadow?.slots[slot.slot])) this.lost.set(leafKey(leaf), index);
    }
  }

  private look(before: RerunMoment | undefined, place: ProgramPlace): ShadowSnapshot | undefined {
    const { machine, observes } = this.subject;
    const view = observes.includes('shadow') ? machine.shadow : undefined;
    if (view === undefined) return undefined;
    try {
      return takeSnapshot(view, before?.shadow, place.kind === 'step' ? place.index : undefined);
    } catch {
      // A machine that broke may have tables that cannot be walked any more.
      this.unreadable = true;
      return undefined;
    }
  }
}

/** One slot and one address. */
export const leafKey = ({ slot, vaddr }: { readonly slot: number; readonly vaddr: number }): string =>
  `${slot} ${vaddr}`;

const NONE: Counts = new Map();

const seenOf = (observation: Observation, { observes, recorded }: Player): Seen => {
  const { outcome, stores, tables, switcher } = keptObservation(observation);
  const hides = (what: Observable): boolean => !observes.includes(what) || (recorded && bareOutcome(outcome.kind));
  return {
    outcome,
    stores: hides('stores') ? undefined : stores,
    tables: hides('tables') ? undefined : tables,
    switcher: hides('switcher') ? undefined : switcher,
  };
};

/** `destroy` lists what is still held; every other step what changed. Of a bare outcome nothing is known. */
const counted = (
  before: Counts | undefined,
  { outcome, references }: Observation,
  place: ProgramPlace,
  { observes }: Player,
): Counts | undefined => {
  if (!observes.includes('references')) return undefined;
  if (bareOutcome(outcome.kind)) return before ?? NONE;
  if (place.kind !== 'destroy' && references.length === 0) return before ?? NONE;
  const counts = new Map(place.kind === 'destroy' ? NONE : before);
  for (const { page, count } of references) {
    if (count === 0) counts.delete(page);
    else counts.set(page, count);
  }
  return counts;
};

/** A fresh machine for a side, or one that plays back a command's answer; undefined if the command does not answer. */
export const playerFor = async (side: Subject, program: Program, profile: Profile): Promise<Player | undefined> => {
  if (side.kind === 'in-process') {
    const started = await side.start?.();
    const machine = side.create();
    const able = withinProfile(started ?? capabilitiesOfMachine(side.name, machine), profile);
    const { observes, upperStores } = able;
    return { machine, observes, upperStores, recorded: false };
  }
  const { observes, upperStores } = withinProfile(await side.start(), profile);
  const answer = await side.answer(program);
  if (answer.kind === 'failed') return undefined;
  const machine = new RecordedMachine(observes);
  machine.load(answer.trace);
  return { machine, observes, upperStores, recorded: true };
};

interface Written {
  readonly step: number;
  readonly value: GuestEntry;
}

/** Every value that each word of guest RAM had, and the step that wrote it. */
export class WordHistory {
  private readonly words = new Map<Paddr, Written[]>();

  /** Records what the guest stored and what the hypervisor wrote. */
  follow(index: number, step: Step, { stores }: Observation): void {
    if (step.op === 'store') this.note(index, step.paddr, step.value);
    for (const { paddr, value } of stores) this.note(index, paddr, value);
  }

  /** The step that wrote a word last, if any did. */
  lastWriter(paddr: Paddr): number | undefined {
    return this.words.get(paddr)?.at(-1)?.step;
  }

  /** What a word held before a step. */
  before(paddr: Paddr, index: number): GuestEntry {
    return this.words.get(paddr)?.findLast(({ step }) => step < index)?.value ?? ZERO_ENTRY;
  }

  /** The step since which the word has passed a test; undefined if it was never written. */
  since(paddr: Paddr, holds: (entry: GuestEntry) => boolean): number | undefined {
    const all = this.words.get(paddr) ?? [];
    const broken = all.findLastIndex(({ value }) => !holds(value));
    return all[broken + 1]?.step;
  }

  private note(step: number, paddr: Paddr, value: GuestEntry): void {
    const all = this.words.get(paddr) ?? [];
    if (sameEntry(all.at(-1)?.value ?? ZERO_ENTRY, value)) return;
    all.push({ step, value });
    this.words.set(paddr, all);
  }
}
