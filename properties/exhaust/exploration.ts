/**
 * A breadth-first search through all states of a small machine. It runs every program of the alphabet up to the depth, except those
 * that continue from a state which a shorter program, or an earlier one of the same length, has reached: they would show nothing new.
 */

import type { MachineConfig, Program, Step } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';
import { Excursion } from './excursion.js';
import type { ExcursionOptions, Successor } from './excursion.js';
import { MOST_STEPS_OF_ALPHABET, StateTable } from './state-table.js';

export interface ExploreOptions extends ExcursionOptions {
  /** Steps of the longest program; may be infinite. */
  readonly mostSteps: number;
  readonly mostStates: number;
}

export interface Explored {
  /** States found, dead ones included. */
  states: number;
  /** Steps taken from them, each judged; the paths to them are not counted. */
  transitions: number;
  /** Every program of this many steps was run; if the end is `closed`, every program. */
  depth: number;
  /** New states at each depth, from 0. */
  readonly levels: readonly number[];
}

export interface Counterexample {
  readonly program: Program;
  readonly divergence: Divergence;
  /**
   * No shorter program of this alphabet diverges. False if the divergence needs steps that seemed to change nothing: then a machine
   * has state that it does not reveal.
   */
  readonly shortest: boolean;
}

export type ExploreEnd =
  /** No step from any state leads to a new one. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'depth' }
  | { readonly kind: 'states' }
  /** There is no memory for more states. */
  | { readonly kind: 'memory' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'divergence'; readonly found: Counterexample };

export interface ExploreResult extends Explored {
  readonly end: ExploreEnd;
}

/** Called before every state; false ends the exploration. */
export type MayContinue = (progress: Explored) => boolean | Promise<boolean>;

export const explore = async (options: ExploreOptions, mayContinue: MayContinue): Promise<ExploreResult> => {
  const exploration = new Exploration(options);
  const end = await exploration.go(mayContinue);
  return { ...exploration.progress, end };
};

class Exploration {
  readonly progress = { states: 0, transitions: 0, depth: 0, levels: [] as number[] };
  private readonly options: ExploreOptions;
  private readonly table = new StateTable();
  private readonly excursion: Excursion;

  constructor(options: ExploreOptions) {
    const steps = options.machine.alphabet.length;
    if (steps > MOST_STEPS_OF_ALPHABET) throw new Error(`an alphabet of ${steps} steps is too large`);
    this.options = options;
    this.excursion = new Excursion(options);
  }

  async go(mayContinue: MayContinue): Promise<ExploreEnd> {
    const { table, progress, options } = this;
    const broken = this.create();
    if (broken !== undefined) return broken;
    for (let state = 0; ; progress.depth++) {
      const end = table.count;
      if (end === state) return { kind: 'closed' };
      progress.levels.push(end - state);
      if (progress.depth === options.mostSteps) return { kind: 'depth' };
      for (; state < end; state++) {
        if (table.count >= options.mostStates) return { kind: 'states' };
        if (!table.makeRoomFor(options.machine.alphabet.length)) return { kind: 'memory' };
        if (!(await mayContinue(progress))) return { kind: 'stopped' };
        const found = this.expand(state);
        progress.states = table.count;
        if (found !== undefined) return { kind: 'divergence', found };
      }
    }
  }

  /** Every state of depth 0. */
  private create(): ExploreEnd | undefined {
    for (const [creation, machine] of this.options.machine.creations.entries()) {
      const divergence = this.arrive(machine, []);
      const program: Program = { machine, steps: [] };
      if (divergence !== undefined) return { kind: 'divergence', found: { program, divergence, shortest: true } };
      const { low, high } = this.excursion.key;
      this.table.addCreated(low, high, creation);
    }
    this.progress.states = this.table.count;
    return undefined;
  }

  /** Takes every step from a state. */
  private expand(state: number): Counterexample | undefined {
    const { creations, alphabet } = this.options.machine;
    const { creation, steps } = this.table.pathOf(state);
    const machine = creations[creation];
    const path = steps.map((step) => alphabet[step]);
    const found = this.take(state, machine, path, true);
    // The divergence may be one of an undoing step, which has no place in a shortest program: search this state again without them.
    return found === undefined ? undefined : this.take(state, machine, path, false);
  }

  /** Tries every step from a state, up to the first divergence. */
  private take(
    state: number,
    machine: MachineConfig,
    path: readonly Step[],
    undoing: boolean,
  ): Counterexample | undefined {
    const { excursion, progress } = this;
    const end = this.options.machine.alphabet.length;
    for (let from = 0; from < end;) {
      const divergence = excursion.go(machine, path, { from, end, undoing });
      const { next, successors } = excursion;
      progress.transitions += excursion.taken;
      if (divergence !== undefined) return this.counterexample(machine, path, from, divergence);
      const found = this.enter(successors, state, machine, path);
      if (found !== undefined) return found;
      from = next;
    }
    return undefined;
  }

  /** Adds the states that an excursion found. In a new state where no program has ended yet, one is run to its end. */
  private enter(
    successors: readonly Successor[],
    state: number,
    machine: MachineConfig,
    path: readonly Step[],
  ): Counterexample | undefined {
    for (const { step, low, high, ended } of successors) {
      if (!this.table.add(low, high, state, step) || ended) continue;
      const steps = [...path, this.options.machine.alphabet[step]];
      const divergence = this.arrive(machine, steps);
      if (divergence !== undefined) return { program: { machine, steps }, divergence, shortest: true };
    }
    return undefined;
  }

  private arrive(machine: MachineConfig, path: readonly Step[]): Divergence | undefined {
    return this.excursion.go(machine, path, { from: 0, end: 0, undoing: false });
  }

  /** Leaves out the steps of the excursion that changed nothing, if the rest still diverges. */
  private counterexample(
    machine: MachineConfig,
    path: readonly Step[],
    from: number,
    divergence: Divergence,
  ): Counterexample {
    const { excursion } = this;
    const program: Program = { machine, steps: excursion.program };
    const end = excursion.next;
    for (let step = from; step < end; step++) {
      const alone = excursion.go(machine, path, { from: step, end: step + 1, undoing: false });
      if (alone !== undefined) {
        return { program: { machine, steps: excursion.program }, divergence: alone, shortest: true };
      }
    }
    return { program, divergence, shortest: false };
  }
}
