/** What an explainer sees of the moment at which a program diverges, and how it looks things up. */

import type { Op, Paddr, Program, Step } from '../../../model/vocabulary/index.js';
import type { Divergence } from '../../divergence.js';
import type { GuestRecord } from '../../guest-record.js';
import type { Location } from '../../invariants/invariant.js';
import type { Focus } from '../explanation.js';
import type { RerunMoment, WordHistory } from '../rerun.js';
import { goneLeaves } from '../shadow-snapshot.js';
import type { LeafSeen, ShadowSnapshot, SlotSeen } from '../shadow-snapshot.js';

/** A step that killed the guest. */
export interface Kill {
  readonly step: number;
  readonly reason: string;
}

export interface Evidence {
  readonly program: Program;
  readonly divergence: Divergence;
  readonly location: Location;
  /** The step that diverges; undefined at creation, at the end and at `destroy`. */
  readonly step: Step | undefined;
  readonly index: number | undefined;
  /** Where it diverges: `step 5 (set-pte)`, `the kernel write to 0x0 at step 7`. */
  readonly here: string;
  readonly moment: RerunMoment;
  readonly before: RerunMoment | undefined;
  readonly guest: GuestRecord;
  readonly history: WordHistory;
  /** The last step that took a leaf away, by `leafKey`. */
  readonly lost: ReadonlyMap<string, number>;
  /** An earlier step at which both sides killed the guest. */
  readonly killed: Kill | undefined;
}

/** As `Focus`, in numbers. */
export type Marks = { readonly [Field in keyof Focus]?: number | undefined };

/** A sentence without its full stop, and what it is about. */
export interface Sentence {
  readonly text: string;
  readonly focus: Marks;
}

/** Returns undefined if it knows no more than that two things differ. */
export type Explainer = (evidence: Evidence) => Sentence | undefined;

export const sentence = (text: string, focus: Marks = {}): Sentence => ({ text, focus });

export const focusOnLeaf = ({ slot, vaddr, page, target }: LeafSeen, step: number | undefined): Marks => ({
  slot,
  vaddr,
  page: target === 'ram' ? page : undefined,
  step,
});

/** The shadow tables after the step; those before it if the subject broke. */
export const shadowOf = ({ moment, before }: Evidence): ShadowSnapshot | undefined => moment.shadow ?? before?.shadow;

/** The shadow tables before the step, unless the subject did not show them. */
export const shadowBefore = ({ before }: Evidence): ShadowSnapshot | undefined =>
  before?.shadowIsOld === true ? undefined : before?.shadow;

export const slotNow = (evidence: Evidence, slot: number | undefined): SlotSeen | undefined =>
  slot === undefined ? undefined : shadowOf(evidence)?.slots[slot];

export const currentSlot = (evidence: Evidence): SlotSeen | undefined =>
  slotNow(evidence, shadowOf(evidence)?.currentSlot);

export const leafIn = (slot: SlotSeen | undefined, vaddr: number): LeafSeen | undefined =>
  slot?.leaves.get(Math.floor(vaddr / 4096) * 4096);

/** Leaves of every slot that pass a test. */
export const leavesWhere = (
  shadow: ShadowSnapshot | undefined,
  holds: (leaf: LeafSeen) => boolean,
): readonly LeafSeen[] => (shadow?.slots ?? []).flatMap(({ leaves }) => [...leaves.values()].filter(holds));

/** Leaves of every slot that lead to a guest page. */
export const leavesTo = (shadow: ShadowSnapshot | undefined, page: number): readonly LeafSeen[] =>
  leavesWhere(shadow, (leaf) => leaf.target === 'ram' && leaf.page === page);

/** Leaves that this step took away, of every slot. */
export const gone = ({ moment, before }: Evidence): readonly LeafSeen[] =>
  (moment.shadow?.slots ?? []).flatMap((slot) => goneLeaves(slot, before?.shadow?.slots[slot.slot]));

/** The slot that shadowed a root before the step; undefined in linear mode. */
export const slotOfRoot = ({ before }: Evidence, root: Paddr): SlotSeen | undefined =>
  before?.root === undefined ? undefined : before.shadow?.slots.find((slot) => !slot.blank && slot.root === root);

/** The last step before this one that passes a test. */
export const lastStep = ({ program, index }: Evidence, holds: (step: Step) => boolean): number | undefined => {
  const found = program.steps.slice(0, index).findLastIndex(holds);
  return found < 0 ? undefined : found;
};

export const lastOf = (evidence: Evidence, wanted: Op): number | undefined =>
  lastStep(evidence, ({ op }) => op === wanted);
