/** Runs a program again up to its divergence, and records what an explanation shows of every moment. */

import type { GuestEntry, Machine, Observation, Paddr, Program, Step } from '../../model/vocabulary/index.js';
import { ZERO_ENTRY, bareOutcome, sameEntry } from '../../model/vocabulary/index.js';
import type { Divergence, Place } from '../divergence.js';
import { GuestRecord } from '../guest-record.js';
import type { Subject } from '../subjects/subject.js';
import { RecordedMachine, keptObservation } from '../trace-of.js';
import type { ShadowSnapshot } from './shadow-snapshot.js';
import { goneLeaves, takeSnapshot } from './shadow-snapshot.js';

/** References by page, summed up from the changes that a side reported. */
export type Counts = ReadonlyMap<number, number>;

/** One moment: what both sides answered, and what is known after it. */
export interface RerunMoment {
  readonly place: Place;
  readonly model: Observation;
  readonly subject: Observation;
  readonly modelCounts: Counts;
  readonly subjectCounts: Counts;
  readonly shadow: ShadowSnapshot | undefined;
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
  private readonly model: Machine;
  private readonly subject: Machine;
  private over = false;
  private last: RerunMoment | undefined = undefined;

  constructor(program: Program, model: Machine, subject: Machine) {
    this.program = program;
    this.model = model;
    this.subject = subject;
  }

  get hasShadow(): boolean {
    return this.subject.shadow !== undefined;
  }

  /** Takes the program up to the divergence. */
  *moments({ place }: Divergence): Generator<RerunMoment, void, undefined> {
    const { machine, steps } = this.program;
    this.guest.begin(machine);
    let moment = this.take({ kind: 'create' }, this.model.create(machine), this.subject.create(machine));
    yield moment;
    if (place.kind === 'create') return;
    const count = place.kind === 'step' ? place.index + 1 : steps.length;
    for (let index = 0; index < count; index++) yield (moment = this.takeStep(index));
    if (place.kind === 'end') yield { ...moment, place };
    if (place.kind === 'destroy') yield this.take(place, this.model.destroy(), this.subject.destroy());
  }

  private takeStep(index: number): RerunMoment {
    const step = this.program.steps[index];
    if (!this.over) this.guest.follow(step);
    const model = this.model.apply(step);
    if (!this.over) this.history.follow(index, step, model);
    this.guest.absorb(model);
    const subject = this.subject.apply(step);
    const { outcome } = subject;
    this.over = bareOutcome(outcome.kind);
    if (outcome.kind === 'killed') this.killed ??= { step: index, reason: outcome.reason };
    const before = this.last;
    const moment = this.take({ kind: 'step', index }, model, subject);
    this.noteLosses(index, moment, before);
    return moment;
  }

  private take(place: Place, model: Observation, subject: Observation): RerunMoment {
    const before = this.last;
    this.last = {
      place,
      model: keptObservation(model),
      subject: keptObservation(subject),
      modelCounts: counted(before?.modelCounts, model, place),
      subjectCounts: counted(before?.subjectCounts, subject, place),
      shadow: this.look(before, place),
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

  private look(before: RerunMoment | undefined, place: Place): ShadowSnapshot | undefined {
    const view = this.subject.shadow;
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

/** A fresh machine for a side, or one that plays back a command's answer; undefined if the command does not answer. */
export const machineFor = async (side: Subject, program: Program): Promise<Machine | undefined> => {
  if (side.kind === 'in-process') return side.create();
  const { observes } = await side.start();
  const answer = await side.answer(program);
  if (answer.kind === 'failed') return undefined;
  const machine = new RecordedMachine(observes);
  machine.load(answer.trace);
  return machine;
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
