/**
 * The naive machine, the reference of every differential run: machine.md as a program. This file has a machine's life, and
 * hypervisor.ts what the steps do.
 *
 * The model remembers the leaves that it handed out, because a guest that changes a table without announcing it still has the
 * old mapping, its reference and its table, and all three are observable. Until the guest announces the change, the remembered
 * leaf decides the outcome. The walk-always oracle is `translate` in hypervisor.ts: every access, hit or miss, walks the guest's
 * own tables, and the invariant `coherence` compares the subject with the outcome of that walk (`fresh`).
 */

import { Hypervisor } from './hypervisor.js';
import { tellState } from './machine-state.js';
import type { Machine, MachineConfig, Observation, Outcome, StateSink, Step } from './vocabulary/index.js';

const DEAD: Outcome = { kind: 'dead' };

/** The observation without a machine: before `create`, after a creation without memory, and after `destroy`. */
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

  /** `config` lies within `MACHINE_BOUNDS`; the outcome is `created` or `no-memory`. */
  create(config: MachineConfig): Observation {
    const hypervisor = new Hypervisor(config);
    const observation = observe(hypervisor, hypervisor.create());
    this.hypervisor = observation.outcome.kind === 'created' ? hypervisor : undefined;
    this.killed = false;
    return observation;
  }

  /** A valid step never throws. */
  apply(step: Step): Observation {
    const hypervisor = this.hypervisor;
    if (hypervisor === undefined) return ABSENT;
    if (this.killed) return observe(hypervisor, DEAD);
    const outcome = hypervisor.perform(step);
    if (outcome.kind === 'killed') this.killed = true;
    return observe(hypervisor, outcome, hypervisor.fresh);
  }

  /** Releases everything; `references` lists the pages that are held all the same. */
  destroy(): Observation {
    const hypervisor = this.hypervisor;
    if (hypervisor === undefined) return ABSENT;
    this.hypervisor = undefined;
    const outcome = hypervisor.destroy();
    return { ...observe(hypervisor, outcome), references: hypervisor.references.held(), stores: [] };
  }

  tellState(sink: StateSink): void {
    if (this.hypervisor !== undefined) tellState(this.hypervisor, sink);
  }
}

/** The observation of machine.md 4: what changed since the last one. */
const observe = (hypervisor: Hypervisor, outcome: Outcome, fresh?: Outcome): Observation => ({
  outcome,
  references: hypervisor.references.takeChanges(),
  stores: hypervisor.ram.takeChanges(),
  tables: hypervisor.hostPages.held,
  switcher: hypervisor.switcher,
  fresh,
});
