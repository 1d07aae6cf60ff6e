/** What invariants are shown: both machines' observations after a step, and what the step found before it began. */

import type {
  MachineConfig,
  Observation,
  Op,
  OutcomeKind,
  ShadowView,
  Slot,
  Step,
} from '../../model/vocabulary/index.js';
import type { GuestRecord } from '../guest-record.js';

/** When invariants are checked: after creation, after each step, after the last one, and after `destroy`. */
export type Stage = 'create' | Op | 'end' | 'destroy';

/** One object serves a whole run; its fields are those of the current moment. */
export interface Moment {
  readonly config: MachineConfig;
  readonly stage: Stage;
  /** The step, at a stage that is one. */
  readonly step: Step | undefined;
  /** The contract of a coherent guest holds throughout this program (machine.md 5). */
  readonly contractKept: boolean;
  readonly preState: PreState;
  /** What the guest did, this step included. */
  readonly guest: GuestRecord;
  readonly model: Observation;
  readonly subject: Observation;
  /** The kinds of the two outcomes, read once for all invariants. */
  readonly modelKind: OutcomeKind;
  readonly subjectKind: OutcomeKind;
  /** The subject's tables, if it can be inspected. */
  readonly shadow: ShadowView | undefined;
}

/** The state before the step. Of a subject that cannot be inspected, what only its tables show is zero or false. */
export interface PreState {
  /** By `FACT`; complete once the step is over. */
  readonly facts: Uint8Array;
  /** The guest had no root yet. */
  readonly linear: boolean;
  /** The guest had been killed, or there was no machine. */
  readonly over: boolean;
  /** Host pages that were shadow tables. */
  readonly tables: number;
  /** The slot that the guest ran on. */
  readonly current: number;
  /** `new-pgtable`, `set-pte` and `set-pgd`: the slot that shadowed the step's root; none in linear mode. */
  readonly rootSlot: Slot | undefined;
  /** `new-pgtable`: the slot drawn had a root page. */
  readonly candidateHadRoot: boolean;
  /** `new-pgtable`: the slot to take mapped the Switcher's pages of a host CPU. */
  readonly switcherMapped: boolean;
  /** `set-pte`: bit s is set if slot s mapped the address. */
  readonly mappedIn: number;
  /** `set-pte`: the number of slots that mapped the address. */
  readonly holders: number;
  /** The step changed the shadow; known after the step. Without a look inside, a change of references or tables stands for it. */
  readonly changed: boolean;
}
