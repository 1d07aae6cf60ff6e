/** What the harness asks of a machine, whichever side it stands on. */

import type { MachineConfig } from './machine.js';
import type { Observation } from './observation.js';
import type { ShadowView } from './shadow-view.js';
import type { StateSink } from './state-sink.js';
import type { Step } from './step.js';

/**
 * A machine that runs in this process. One object serves many programs, one after the other: `create`, then `apply` for
 * every step (also after a kill), then `destroy`. `create` starts afresh whatever the last program left.
 */
export interface Machine {
  create(config: MachineConfig): Observation;
  apply(step: Step): Observation;
  destroy(): Observation;
  /** For invariants that look inside; a machine that has none is judged by its observations alone. */
  readonly shadow?: ShadowView;
  /** It walks the guest's tables on every access, hit or miss: its observations have `fresh`. */
  readonly walksAlways?: boolean;
  /** Tells the state of a living machine; a machine that does not cannot be explored state by state. */
  tellState?(sink: StateSink): void;
}
