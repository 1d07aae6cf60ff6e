/** What invariants see: both machines' observations after a step, and the state before it. */

import type {
  GuestRam,
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
  /** Undefined at `create`, `end` and `destroy`. */
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
  /** The subject's shadow tables, if it exposes them. */
  readonly shadow: ShadowView | undefined;
  /** The subject's guest RAM, if it exposes it. */
  readonly ram: GuestRam | undefined;
}

/** What can be seen of a program when it has ended, if its steps were not judged. The observations are those of its last step. */
export type Aftermath = Pick<
  Moment,
  'config' | 'stage' | 'step' | 'contractKept' | 'guest' | 'model' | 'subject' | 'modelKind' | 'subjectKind' | 'shadow'
>;

/** The state before the step. What only shadow tables show is zero or false of a subject that does not expose them. */
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
  /** The step changed the shadow tables, or if the subject does not expose them, references or the number of tables. Known after the step. */
  readonly changed: boolean;
}
