/** The whole trace of a program, and machines that play one back. */

import type {
  Machine,
  MachineConfig,
  Observable,
  Observation,
  Program,
  Step,
  Trace,
} from '../model/vocabulary/index.js';
import { bareOutcome } from '../model/vocabulary/index.js';
import { RecordedShadow, ShadowReporter } from './reported-shadow.js';

/** What is observed of a machine that does not exist, and the fields that a bare outcome leaves out. */
export const ZERO_OBSERVATION: Observation = Object.freeze({
  outcome: Object.freeze({ kind: 'absent' as const }),
  references: Object.freeze([]),
  stores: Object.freeze([]),
  tables: 0,
  switcher: Object.freeze({ text: 0, state: Object.freeze([]), registers: 0 }),
});

/** A copy: machines reuse the object that they return. */
export const keptObservation = ({ outcome, references, stores, tables, switcher }: Observation): Observation => ({
  outcome: { ...outcome },
  references: references.map((change) => ({ ...change })),
  stores: [...stores],
  tables,
  switcher: { ...switcher, state: [...switcher.state] },
});

/** Runs a program on a machine, from `create` to `destroy`. */
export const traceOf = (machine: Machine, program: Program): Trace => {
  const created = keptObservation(machine.create(program.machine));
  const steps = program.steps.map((step) => keptObservation(machine.apply(step)));
  return { created, steps, destroyed: keptObservation(machine.destroy()) };
};

/** As `traceOf`, with the shadow tables of a machine that has a view of them: the trace of a subject that observes `shadow`. */
export const traceWithShadowOf = (machine: Machine, program: Program): Trace => {
  if (machine.shadow === undefined) return traceOf(machine, program);
  const reporter = new ShadowReporter(machine.shadow);
  const kept = (observation: Observation): Observation =>
    bareOutcome(observation.outcome.kind)
      ? keptObservation(observation)
      : { ...keptObservation(observation), shadow: reporter.report() };
  const created = kept(machine.create(program.machine));
  const steps = program.steps.map((step) => kept(machine.apply(step)));
  return { created, steps, destroyed: keptObservation(machine.destroy()) };
};

/** Plays back the answer of a subject outside this process, so that lockstep can step it like a machine. */
export class RecordedMachine implements Machine {
  /** Set if the subject observes its shadow. */
  readonly shadow?: RecordedShadow;
  private trace: Trace = { created: ZERO_OBSERVATION, steps: [], destroyed: ZERO_OBSERVATION };
  private next = 0;

  /** @param observes - what the observations hold beside their outcomes; only `shadow` matters here */
  constructor(observes: readonly Observable[] = []) {
    if (observes.includes('shadow')) this.shadow = new RecordedShadow();
  }

  /** Played back from the next `create` on. Steps beyond the trace are answered by `ZERO_OBSERVATION`. */
  load(trace: Trace): void {
    this.trace = trace;
  }

  /** Of the trace that was loaded. */
  get edges(): readonly number[] | undefined {
    return this.trace.edges;
  }

  create(_config: MachineConfig): Observation {
    const { created } = this.trace;
    this.next = 0;
    this.shadow?.clear();
    this.shadow?.take(created.shadow);
    return created;
  }

  apply(_step: Step): Observation {
    const observation = this.trace.steps[this.next++] ?? ZERO_OBSERVATION;
    this.shadow?.take(observation.shadow);
    return observation;
  }

  destroy(): Observation {
    const { destroyed } = this.trace;
    if (!bareOutcome(destroyed.outcome.kind)) this.shadow?.clear();
    return destroyed;
  }
}
