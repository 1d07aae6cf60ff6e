/** Runs a program again up to its divergence, and keeps of every moment what an explanation tells. */

import type {
  GuestEntry,
  Machine,
  Observation,
  Paddr,
  Program,
  ShadowView,
  Step,
} from '../../model/vocabulary/index.js';
import { ZERO_ENTRY, bareOutcome, sameEntry } from '../../model/vocabulary/index.js';
import type { Divergence, Place } from '../divergence.js';
import { GuestRecord } from '../guest-record.js';
import type { Subject } from '../subjects/subject.js';
import { RecordedMachine, keptObservation, ZERO_OBSERVATION } from '../trace-of.js';
import type { ShadowSnapshot } from './shadow-snapshot.js';
import { goneLeaves, takeSnapshot } from './shadow-snapshot.js';

/** A page's references on both sides, added up of the changes that each reported. */
export type Counts = ReadonlyMap<number, number>;

/** One moment: what both sides answered, and what is known after it. The guest's record is that of the run's own moment. */
export interface RerunMoment {
  readonly place: Place;
  readonly reference: Observation;
  readonly subject: Observation;
  readonly referenceCounts: Counts;
  readonly subjectCounts: Counts;
  readonly shadow: ShadowSnapshot | undefined;
  /** The root that the guest runs on afterwards; none in linear mode. */
  readonly root: Paddr | undefined;
}

/** Called at every moment up to the divergence, in order; `before` is the moment before. */
export type Visitor = (moment: RerunMoment, before: RerunMoment | undefined) => void;

/** A run as it stands. One object serves the whole run. */
export class Rerun {
  readonly guest = new GuestRecord();
  readonly history = new WordHistory();
  /** The subject has an inside, and it could not be read at some moment. */
  unreadable = false;
  /** The step that killed the guest on the subject's side, and why. */
  killed: { readonly step: number; readonly reason: string } | undefined = undefined;
  /** The step that took a leaf away last, by slot and address. */
  readonly lost = new Map<string, number>();
  private readonly program: Program;
  private readonly reference: Machine;
  private readonly subject: Machine;
  private over = false;
  private last: RerunMoment | undefined = undefined;

  constructor(program: Program, reference: Machine, subject: Machine) {
    this.program = program;
    this.reference = reference;
    this.subject = subject;
  }

  get looksInside(): boolean {
    return this.subject.shadow !== undefined;
  }

  run({ place }: Divergence, tell: Visitor): void {
    const { machine, steps } = this.program;
    this.guest.begin(machine);
    this.take({ kind: 'create' }, this.reference.create(machine), this.subject.create(machine), tell);
    if (place.kind === 'create') return;
    const count = place.kind === 'step' ? place.index + 1 : steps.length;
    for (let index = 0; index < count; index++) this.takeStep(index, tell);
    if (place.kind === 'step') return;
    this.take({ kind: 'end' }, ZERO_OBSERVATION, ZERO_OBSERVATION, place.kind === 'end' ? tell : () => undefined);
    if (place.kind === 'destroy') this.take(place, this.reference.destroy(), this.subject.destroy(), tell);
  }

  private takeStep(index: number, tell: Visitor): void {
    const step = this.program.steps[index];
    if (!this.over) this.guest.follow(step);
    const reference = this.reference.apply(step);
    if (!this.over) this.history.follow(index, step, reference);
    this.guest.absorb(reference);
    const subject = this.subject.apply(step);
    this.over = bareOutcome(subject.outcome.kind);
    if (subject.outcome.kind === 'killed') this.killed ??= { step: index, reason: subject.outcome.reason };
    this.take({ kind: 'step', index }, reference, subject, tell);
  }

  private take(place: Place, reference: Observation, subject: Observation, tell: Visitor): void {
    const before = this.last;
    // At the end of the steps nobody answers: what was last answered stands.
    const answered = place.kind !== 'end';
    this.last = {
      place,
      reference: answered || before === undefined ? keptObservation(reference) : before.reference,
      subject: answered || before === undefined ? keptObservation(subject) : before.subject,
      referenceCounts: answered
        ? counted(before?.referenceCounts, reference, place)
        : (before?.referenceCounts ?? NONE),
      subjectCounts: answered ? counted(before?.subjectCounts, subject, place) : (before?.subjectCounts ?? NONE),
      shadow: this.look(before, place),
      root: this.guest.root,
    };
    if (place.kind === 'step') this.noteLosses(place.index, this.last, before);
    tell(this.last, before);
  }

  private noteLosses(index: number, { shadow }: RerunMoment, before: RerunMoment | undefined): void {
    if (shadow === undefined || shadow.shadowVersion === before?.shadow?.shadowVersion) return;
    for (const slot of shadow.slots) {
      for (const leaf of goneLeaves(slot, before?.shadow?.slots[slot.slot])) this.lost.set(leafKey(leaf), index);
    }
  }

  private look(before: RerunMoment | undefined, place: Place): ShadowSnapshot | undefined {
    const view = this.subject.shadow;
    if (view === undefined) return undefined;
    const snapshot = readable(view, before?.shadow, place.kind === 'step' ? place.index : undefined);
    if (snapshot === undefined) this.unreadable = true;
    return snapshot;
  }
}

/** A place for a leaf: one slot, one address. */
export const leafKey = ({ slot, vaddr }: { readonly slot: number; readonly vaddr: number }): string =>
  `${slot} ${vaddr}`;

const NONE: Counts = new Map();

/** `destroy` lists what is still held; every other step what changed. Of a bare outcome nothing is known. */
const counted = (before: Counts | undefined, { outcome, references }: Observation, place: Place): Counts => {
  if (bareOutcome(outcome.kind)) return before ?? NONE;
  if (place.kind !== 'destroy' && references.length === 0) return before ?? NONE;
  const counts = new Map(place.kind === 'destroy' ? NONE : before);
  for (const { page, count } of references) {
    if (count === 0) counts.delete(page);
    else counts.set(page, count);
  }
  return counts;
};

/** A machine that broke may have tables that cannot be walked any more. */
const readable = (
  view: ShadowView,
  before: ShadowSnapshot | undefined,
  step: number | undefined,
): ShadowSnapshot | undefined => {
  try {
    return takeSnapshot(view, before, step);
  } catch {
    return undefined;
  }
};

/** A fresh machine for a side, or what a command outside the process answers; nothing if it does not answer. */
export const machineFor = async (side: Subject, program: Program): Promise<Machine | undefined> => {
  if (side.kind === 'in-process') return side.create();
  const answer = await side.answer(program);
  if (answer.kind === 'failed') return undefined;
  const machine = new RecordedMachine();
  machine.load(answer.trace);
  return machine;
};

export interface Written {
  readonly step: number;
  readonly value: GuestEntry;
}

export class WordHistory {
  private readonly words = new Map<Paddr, Written[]>();

  /** Takes down what the guest stored and what the hypervisor wrote. */
  follow(index: number, step: Step, { stores }: Observation): void {
    if (step.op === 'store') this.note(index, step.paddr, step.value);
    for (const { paddr, value } of stores) this.note(index, paddr, value);
  }

  /** The step that wrote a word last; none if nobody did. */
  lastWriter(paddr: Paddr): number | undefined {
    return this.words.get(paddr)?.at(-1)?.step;
  }

  /** What a word held before a step. */
  before(paddr: Paddr, index: number): GuestEntry {
    return this.words.get(paddr)?.findLast(({ step }) => step < index)?.value ?? ZERO_ENTRY;
  }

  /** The step from which on something has been true of a word without a break; none if nobody ever wrote it. */
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
