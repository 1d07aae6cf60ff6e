/**
 * Tries steps of the alphabet from one state, in lockstep, for as long as they lead back to it. A machine cannot be reset to a state,
 * so each excursion begins with a creation and the whole path to the state. Most steps change nothing, and many can be undone, so one
 * excursion tries many steps.
 */

import type { MachineConfig, Op, Outcome, Step } from '../../model/vocabulary/index.js';
import { HYPERCALL_NUMBERS, SLOTS } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';
import type { Invariant } from '../invariants/invariant.js';
import { Lockstep } from '../lockstep.js';
import type { SmallMachine } from './machines/layout.js';
import type { Folding } from './state-key.js';
import { StateKey } from './state-key.js';
import type { TransparentMachine } from './transcript.js';
import { Transcript } from './transcript.js';
import { Undo } from './undo.js';

/** Which steps of the alphabet to try, by number: `from` … `end` − 1. */
export interface Tour {
  readonly from: number;
  readonly end: number;
  /** Undo steps that led elsewhere and continue. Undoing takes steps that the alphabet may not have. */
  readonly undoing: boolean;
}

export interface ExcursionOptions {
  readonly model: TransparentMachine;
  readonly subject: TransparentMachine;
  readonly invariants: readonly Invariant[];
  readonly machine: SmallMachine;
  readonly folding: Folding;
}

/** A state other than the first that a step of the alphabet led to. */
export interface Successor {
  /** The step's number. */
  readonly step: number;
  /** The state's key. */
  readonly low: number;
  readonly high: number;
  /** The program ended in this state, so its end and `destroy` have been judged there. */
  readonly ended: boolean;
}

export class Excursion {
  /** The state at the end of the path; after a step that led elsewhere, that state. */
  readonly key: StateKey;
  /** How many steps of the alphabet were taken, not counting those that undid them. */
  taken = 0;
  /** The number of the first step that was not tried. */
  next = 0;
  successors: Successor[] = [];
  /** The steps taken in this excursion, path included. */
  private steps: Step[] = [];
  private readonly model: TransparentMachine;
  private readonly subject: TransparentMachine;
  private readonly alphabet: readonly Step[];
  private readonly folding: Folding;
  private readonly lockstep: Lockstep;
  private readonly undo: Undo | undefined;
  /** The path whose end `start` describes: several excursions in a row share one path. */
  private path: readonly Step[] | undefined = undefined;
  private initialized = false;
  /** The state at the end of the path, and after the last step. */
  private start = new Transcript();
  private here = new Transcript();
  /** The exact key at the end of the path. */
  private startLow = 0;
  private startHigh = 0;
  /** For each slot, the lowest slot in the same state at the end of the path. */
  private readonly like = new Uint8Array(SLOTS);

  constructor({ model, subject, invariants, machine, folding }: ExcursionOptions) {
    this.model = model;
    this.subject = subject;
    this.alphabet = machine.alphabet;
    this.folding = folding;
    this.key = new StateKey(machine.swaps, folding);
    const { shadow, ram } = subject;
    this.undo = shadow === undefined || ram === undefined ? undefined : new Undo(shadow, ram, machine);
    this.lockstep = new Lockstep({ model, subject, invariants });
  }

  /**
   * Takes the path, then steps of the alphabet until one leads to another state and cannot be undone. Arrays of steps are compared by
   * identity: use one array with one machine only.
   */
  go(machine: MachineConfig, path: readonly Step[], tour: Tour): Divergence | undefined {
    this.steps = [];
    this.taken = 0;
    this.next = tour.from;
    this.successors = [];
    return (
      this.lockstep.begin(machine, false) ??
      this.takeAll(path) ??
      this.tryAlphabet(path, tour) ??
      this.lockstep.finish()
    );
  }

  /** The program of the last excursion. */
  get program(): readonly Step[] {
    return this.steps;
  }

  private takeAll(steps: readonly Step[]): Divergence | undefined {
    for (const step of steps) {
      const divergence = this.take(step);
      if (divergence !== undefined) return divergence;
    }
    return undefined;
  }

  private take(step: Step): Divergence | undefined {
    this.steps.push(step);
    return this.lockstep.step(step);
  }

  private tryAlphabet(path: readonly Step[], { end, undoing }: Tour): Divergence | undefined {
    if (this.path !== path) this.beginAt(path);
    if (undoing) this.undo?.start();
    while (this.next < end) {
      const number = this.next++;
      if (this.isRepetition(number)) continue;
      const step = this.alphabet[number];
      if (undoing) this.undo?.before(step);
      this.taken++;
      const divergence = this.take(step);
      if (divergence !== undefined) return divergence;
      if (this.isBack()) continue;
      const back = undoing ? this.stepsBack(step) : [];
      this.successors.push({ step: number, low: this.key.low, high: this.key.high, ended: back.length === 0 });
      if (back.length === 0) return undefined;
      const broken = this.takeAll(back);
      // If a step back killed the guest, it is not back.
      if (broken !== undefined || isOver(this.lockstep.outcome) || !this.isBack()) return broken;
    }
    return undefined;
  }

  private stepsBack(step: Step): readonly Step[] {
    return this.lockstep.outcome.kind === 'killed' ? [] : (this.undo?.after(step) ?? []);
  }

  private beginAt(path: readonly Step[]): void {
    const { start, key } = this;
    this.path = path;
    this.initialized = path.some(({ op }) => op === 'init');
    this.record(start);
    key.read(start);
    this.startLow = key.exactLow;
    this.startHigh = key.exactHigh;
    this.compareSlots();
  }

  /** Whether the state is the one at the end of the path. If not, `key` becomes that of the state. */
  private isBack(): boolean {
    const { start, here, key } = this;
    // A dead guest stays dead.
    if (isOver(this.lockstep.outcome)) return true;
    this.record(here);
    if (here.equals(start)) return true;
    key.read(here);
    if (key.exactLow !== this.startLow || key.exactHigh !== this.startHigh) return false;
    // The same facts in another order, in which the next transcript will probably have them too.
    this.start = here;
    this.here = start;
    return true;
  }

  /**
   * Whether another step of the alphabet shows the same. Drawing a slot is like drawing another slot in the same state. And before
   * `init`, a hypercall kills whatever its arguments (machine.md 3), so one of each kind is enough.
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

  private record(transcript: Transcript): void {
    const { outcome } = this.lockstep;
    switch (outcome.kind) {
      case 'killed':
        return transcript.takeEnd(outcome.reason);
      case 'no-memory':
      case 'host-bug':
        return transcript.takeEnd(outcome.kind);
      default:
        transcript.take(this.model, this.subject);
    }
  }
}

const isOver = ({ kind }: Outcome): boolean => kind === 'dead' || kind === 'absent' || kind === 'halted';

const isHypercall = (op: Op): boolean => op in HYPERCALL_NUMBERS;
