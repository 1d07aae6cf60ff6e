/** The whole trace of a program, and machines that play one back. */

import type { Machine, MachineConfig, Observation, Program, Step, Trace } from '../model/vocabulary/index.js';

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

/** Plays back the answer of a subject outside this process, so that lockstep can step it like a machine. */
export class RecordedMachine implements Machine {
  private trace: Trace = { created: ZERO_OBSERVATION, steps: [], destroyed: ZERO_OBSERVATION };
  private next = 0;

  /** Played back from the next `create` on. Steps beyond the trace are answered by `ZERO_OBSERVATION`. */
  load(trace: Trace): void {
    this.trace = trace;
  }

  create(_config: MachineConfig): Observation {
    this.next = 0;
    return this.trace.created;
  }

  apply(_step: Step): Observation {
    return this.trace.steps[this.next++] ?? ZERO_OBSERVATION;
  }

  destroy(): Observation {
    return this.trace.destroyed;
  }
}
