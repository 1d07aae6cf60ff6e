/**
 * The naive machine, the reference of every differential run: machine.md as a program. It keeps what references,
 * table counts and stale shadows make observable, and caches nothing beside. Here is a machine's life; what its steps
 * do is in hypervisor.ts.
 */

import { Hypervisor } from './hypervisor.js';
import type { Machine, MachineConfig, Observation, Outcome, StateSink, Step } from './vocabulary/index.js';

const DEAD: Outcome = { kind: 'dead' };

/** What is observed where there is no machine: before `create`, after it found no memory, and after `destroy`. */
const ABSENT: Observation = {
  outcome: { kind: 'absent' },
  references: [],
  stores: [],
  tables: 0,
  switcher: { text: 0, state: [], registers: 0 },
  fresh: undefined,
};

export class ReferenceMachine implements Machine {
  readonly walksAlways = true;
  private hypervisor: Hypervisor | undefined = undefined;
  private killed = false;

  /** The configuration lies within `MACHINE_BOUNDS`; the outcome is `created` or `no-memory`. */
  create(config: MachineConfig): Observation {
    const hypervisor = new Hypervisor(config);
    const observation = observe(hypervisor, hypervisor.create());
    this.hypervisor = observation.outcome.kind === 'created' ? hypervisor : undefined;
    this.killed = false;
    return observation;
  }

  /** Nothing that a valid step does throws. */
  apply(step: Step): Observation {
    const hypervisor = this.hypervisor;
    if (hypervisor === undefined) return ABSENT;
    if (this.killed) return observe(hypervisor, DEAD);
    const outcome = hypervisor.perform(step);
    if (outcome.kind === 'killed') this.killed = true;
    return observe(hypervisor, outcome, hypervisor.fresh);
  }

  /** Releases everything, and lists the references that are held none the less. */
  destroy(): Observation {
    const hypervisor = this.hypervisor;
    if (hypervisor === undefined) return ABSENT;
    this.hypervisor = undefined;
    const outcome = hypervisor.destroy();
    return { ...observe(hypervisor, outcome), references: hypervisor.references.held(), stores: [] };
  }

  tellState(sink: StateSink): void {
    this.hypervisor?.tellState(sink);
  }
}

/** The observation of machine.md 4: what changed since the last one. */
const observe = (hypervisor: Hypervisor, outcome: Outcome, fresh?: Outcome): Observation => ({
  outcome,
  references: hypervisor.references.takeChanges(),
  stores: hypervisor.memory.takeChanges(),
  tables: hypervisor.hostPages.held,
  switcher: hypervisor.switcher,
  fresh,
});
