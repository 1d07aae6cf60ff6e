/**
 * From one state, steps in lockstep for as long as they change nothing. Machines cannot be put back to where they were, so each
 * excursion begins with a creation and the whole path to the state; that most steps from a state lead back to it at once makes
 * this cheap, because they are taken one behind the other.
 */

import type { Machine, MachineConfig, Observation, Op, Outcome, Step } from '../../model/vocabulary/index.js';
import { HYPERCALL_NUMBERS, SLOTS } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';
import type { Invariant } from '../invariants/invariant.js';
import { Lockstep } from '../lockstep.js';
import type { SmallMachine } from './machines/layout.js';
import type { Folding } from './state-key.js';
import { StateKey } from './state-key.js';
import type { TellingMachine } from './telling-machine.js';
import { Transcript } from './transcript.js';
import { WayBack } from './way-back.js';

/** Which steps of the alphabet to take, by their numbers: `from` … `end` − 1. */
export interface Tour {
  readonly from: number;
  readonly end: number;
  /** Some steps can be taken back, and the tour goes on: then it takes steps that the alphabet may not have. */
  readonly reversing: boolean;
}

export interface ExcursionOptions {
  readonly reference: TellingMachine;
  readonly subject: TellingMachine;
  readonly invariants: readonly Invariant[];
  readonly machine: SmallMachine;
  readonly folding: Folding;
}

/** Where a step of the alphabet led, when it led elsewhere. */
export interface Successor {
  /** The step's number. */
  readonly step: number;
  /** The state's key. */
  readonly low: number;
  readonly high: number;
  /** The program ended there, so that its end and `destroy` were judged. */
  readonly ended: boolean;
}

export class Excursion {
  /** The state at the end of the path; behind a step that led elsewhere, that one. */
  readonly key: StateKey;
  /** How many steps of the alphabet were taken, without those that took them back. */
  taken = 0;
  /** The first that is still to be taken. */
  next = 0;
  /** The other states that were seen. */
  successors: Successor[] = [];
  private readonly reference: TellingMachine;
  private readonly subject: TellingMachine;
  private readonly alphabet: readonly Step[];
  private readonly folding: Folding;
  private readonly lockstep: Lockstep;
  /** The program that is run: the path, and what is tried behind it. */
  private readonly steps: Step[] = [];
  private path: readonly Step[] = [];
  /** The path whose end `start` tells of: excursions go several times behind one. */
  private pathTold: readonly Step[] | undefined = undefined;
  private pathLength = 0;
  private initialized = false;
  private position = 0;
  private tour: Tour = { from: 0, end: 0, reversing: true };
  /** The step at hand by its number. */
  private last = 0;
  private phase: 'starting' | 'forward' | 'back' = 'starting';
  private readonly wayBack: WayBack | undefined;
  /** Steps of the way back that are still to be taken. */
  private stepsBack = 0;
  /** What was told at the end of the path, and behind the last step. */
  private start = new Transcript();
  private here = new Transcript();
  /** The exact key at the end of the path. */
  private startLow = 0;
  private startHigh = 0;
  /** For each slot, the first one of which the same is told at the end of the path. */
  private readonly like = new Uint8Array(SLOTS);

  constructor({ reference, subject, invariants, machine, folding }: ExcursionOptions) {
    this.reference = reference;
    this.subject = subject;
    this.alphabet = machine.alphabet;
    this.folding = folding;
    this.key = new StateKey(machine.swaps, folding);
    this.wayBack = subject.shadow === undefined ? undefined : new WayBack(subject.shadow, machine);
    this.lockstep = new Lockstep({ reference, subject: this.watchedSubject(), invariants });
  }

  /**
   * Takes steps of the alphabet behind a path until one leads to another state and cannot be taken back. One array of steps
   * belongs to one machine.
   */
  go(machine: MachineConfig, path: readonly Step[], tour: Tour): Divergence | undefined {
    this.path = path;
    this.steps.length = 0;
    for (let i = 0; i < path.length; i++) this.steps.push(path[i]);
    this.pathLength = path.length;
    this.initialized = path.some(({ op }) => op === 'init');
    this.tour = tour;
    this.position = this.taken = 0;
    this.successors = [];
    this.next = tour.from;
    this.phase = 'starting';
    return this.lockstep.run({ machine, steps: this.steps }, false);
  }

  /** What was run last. */
  get program(): readonly Step[] {
    return [...this.steps];
  }

  /** The subject, watched: lockstep asks it last, so that after its answer both sides have taken the step. */
  private watchedSubject(): Machine {
    const { subject } = this;
    const watched: Machine = {
      create: (config) => this.look(subject.create(config)),
      apply: (step) => this.look(subject.apply(step)),
      destroy: () => subject.destroy(),
    };
    return subject.shadow === undefined ? watched : { ...watched, shadow: subject.shadow };
  }

  private look(observation: Observation): Observation {
    if (this.position++ >= this.pathLength) this.lookBehind(observation.outcome);
    return observation;
  }

  /** Lockstep reads the program as it goes. If it did not, each excursion would take one step, and only time be lost. */
  private lookBehind(outcome: Outcome): void {
    if (this.phase === 'back' && --this.stepsBack > 0) return;
    switch (this.phase) {
      case 'starting':
        if (this.pathTold !== this.path) this.begin(outcome);
        if (this.tour.reversing) this.wayBack?.start();
        return this.tryNext();
      case 'forward':
        this.taken++;
        return this.isBack(outcome) ? this.tryNext() : this.turn(outcome);
      case 'back':
        // A guest that a step of the way back killed is not back.
        if (!isOver(outcome) && this.isBack(outcome)) this.tryNext();
    }
  }

  private begin(outcome: Outcome): void {
    const { start, key } = this;
    this.takeDown(outcome, start);
    key.read(start);
    this.startLow = key.exactLow;
    this.startHigh = key.exactHigh;
    this.compareSlots();
    this.pathTold = this.path;
  }

  /** The state is that at the end of the path. If not, `key` is that of the state. */
  private isBack(outcome: Outcome): boolean {
    const { start, here, key } = this;
    // Who was dead stays so.
    if (isOver(outcome)) return true;
    this.takeDown(outcome, here);
    if (here.equals(start)) return true;
    key.read(here);
    if (key.exactLow !== this.startLow || key.exactHigh !== this.startHigh) return false;
    // The same in another order, in which it will be told again.
    this.start = here;
    this.here = start;
    return true;
  }

  private tryNext(): void {
    const { alphabet, tour } = this;
    while (this.next < tour.end && this.isRepetition(this.next)) this.next++;
    if (this.next === tour.end) return;
    this.last = this.next++;
    this.phase = 'forward';
    if (tour.reversing) this.wayBack?.before(alphabet[this.last]);
    this.steps.push(alphabet[this.last]);
  }

  /** Another state: back from there, if there is a way. */
  private turn({ kind }: Outcome): void {
    const { key, last, tour, wayBack } = this;
    const back = tour.reversing && kind !== 'killed' ? (wayBack?.after(this.alphabet[last]) ?? []) : [];
    this.successors.push({ step: last, low: key.low, high: key.high, ended: back.length === 0 });
    if (back.length === 0) return;
    this.phase = 'back';
    this.stepsBack = back.length;
    this.steps.push(...back);
  }

  /**
   * What another step of the alphabet shows already. To draw a slot is like drawing another one of which the same is told. And
   * until `init` a hypercall kills before anybody looks at its arguments, so that one of each kind will do.
   */
  private isRepetition(index: number): boolean {
    const step = this.alphabet[index];
    if (step.op === 'new-pgtable' && this.like[step.draw % SLOTS] !== step.draw % SLOTS) return true;
    return !this.initialized && isHypercall(step.op) && this.alphabet.findIndex(({ op }) => op === step.op) !== index;
  }

  private compareSlots(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      let first = this.folding === 'names' ? 0 : slot;
      while (first < slot && !this.key.alike(first, slot)) first++;
      this.like[slot] = first;
    }
  }

  private takeDown(outcome: Outcome, transcript: Transcript): void {
    switch (outcome.kind) {
      case 'killed':
        return transcript.takeEnd(outcome.reason);
      case 'no-memory':
      case 'host-bug':
        return transcript.takeEnd(outcome.kind);
      default:
        transcript.take(this.reference, this.subject);
    }
  }
}

const isOver = ({ kind }: Outcome): boolean => kind === 'dead' || kind === 'absent' || kind === 'halted';

const isHypercall = (op: Op): boolean => op in HYPERCALL_NUMBERS;
