/** Explainers of invariants that compare what a step answered, or what it wrote to guest RAM. */

import { describeEntry, entryBits, formatHex, formatHexEntry } from '../../formats/index.js';
import type { GuestEntry, Outcome } from '../../../model/vocabulary/index.js';
import { MOST_STACK_PAGES, guestEntry } from '../../../model/vocabulary/index.js';
import { A, D } from '../../entry-bits.js';
import { dirty, isWritable } from '../../uncached-walk.js';
import type { LeafSeen } from '../shadow-snapshot.js';
import { leafName, leafText, rightsText, sinceText, targetText } from '../words.js';
import { hereWithEffect, requiredEffect } from './required-effect.js';
import type { Evidence, Explainer, Marks, Sentence } from './evidence.js';
import { currentSlot, focusOnLeaf, leafIn, sentence, shadowBefore } from './evidence.js';
import type { AccessWords } from './guest-reasons.js';
import { outcomeHappened, outcomeVerb, walkWords, whyExpected, whyKilled } from './guest-reasons.js';

const marks = ({ step, index }: Evidence): Marks => ({
  step: index,
  vaddr: step !== undefined && 'vaddr' in step ? step.vaddr : undefined,
});

/** `must fault with code 3, because the guest's PTE …`. */
const mustWithReason = (evidence: Evidence): string => {
  const because = whyExpected(evidence);
  const must = `must ${outcomeVerb(evidence.moment.model.outcome)}`;
  return because === undefined ? must : `${must}, because ${because}`;
};

/** `coherence`, `translation` and `kill-decision`: one answer where another was due. */
export const explainOutcome: Explainer = (evidence) => {
  const { step, index, here, moment } = evidence;
  const actual = moment.subject.outcome;
  if (step === undefined) return undefined;
  if (moment.model.outcome.kind === 'ok') return needlessKill(evidence, actual);
  const leaf = 'vaddr' in step ? leafIn(currentSlot(evidence), step.vaddr) : undefined;
  let by = '';
  if (actual.kind === 'mapped' && leaf !== undefined) {
    const since = leaf.since === index ? ', which it installed' : sinceText(leaf.since);
    by = ` by the shadow leaf ${leafText(leaf)}${since}`;
  }
  const text = `${here} ${mustWithReason(evidence)}; ${happenedText(evidence)}${by}`;
  return sentence(text, { ...marks(evidence), slot: leaf?.slot });
};

/** `coherence` of racy guests: of several answers that a CPU may give, it is none (machine.md 6, Racy guests). */
export const explainUncachedAnswer: Explainer = (evidence) => {
  const { here, moment, divergence } = evidence;
  const { outcome } = moment.subject;
  const may = `may answer by any translation that was valid since the last invalidation that covers it (${divergence.expected})`;
  return sentence(`${here} ${may}; it ${outcomeHappened(outcome)}${killReason(evidence, outcome)}`, marks(evidence));
};

const happenedText = (evidence: Evidence): string => {
  const { model, subject } = evidence.moment;
  const actual = subject.outcome;
  if (actual.kind === 'ok') return 'it went on as if nothing were wrong';
  if (actual.kind !== 'killed') return `it ${outcomeHappened(actual)}`;
  return model.outcome.kind === 'killed'
    ? `the reason given was "${actual.reason}"`
    : `it ${outcomeHappened(actual)}${killReason(evidence, actual)}`;
};

const killReason = (evidence: Evidence, outcome: Outcome): string => {
  const because = outcome.kind === 'killed' ? whyKilled(evidence, outcome) : undefined;
  return because === undefined ? '' : `: ${because}`;
};

const needlessKill = (evidence: Evidence, actual: Outcome): Sentence => {
  const { step } = evidence;
  const comma = requiredEffect(evidence) === undefined ? '' : ',';
  const because = killReason(evidence, actual);
  // Only with RW and D is the page taken for writing (machine.md 3, set-pte).
  const refused = because !== '' && actual.kind === 'killed' && actual.cause === 'page-refused';
  const lacking = refused && step?.op === 'set-pte' ? lackedForWriting(step.pte) : undefined;
  const harmless = lacking === undefined ? '' : `, and an entry without ${lacking} needs no more`;
  const text = `${hereWithEffect(evidence)}${comma} must not kill the guest; it ${outcomeHappened(actual)}${because}${harmless}`;
  return sentence(text, marks(evidence));
};

const lackedForWriting = (entry: GuestEntry): string | undefined => {
  if (!isWritable(entry)) return 'RW';
  return dirty(entry) ? undefined : 'D';
};

/** `progress`: a fault that was reported fixed comes again. */
export const explainStuck: Explainer = (evidence) => {
  const { step, here } = evidence;
  if (step?.op !== 'access') return undefined;
  const slot = currentSlot(evidence);
  const leaf = leafIn(slot, step.vaddr);
  const missing = slot === undefined ? '' : `: slot ${slot.slot} has no shadow leaf for ${formatHex(step.vaddr)}`;
  const why = leaf === undefined ? missing : `: ${leafName(leaf)} ${narrowed(leaf, step)}`;
  return sentence(`${here} faults forever${why}; it ${mustWithReason(evidence)}`, {
    ...marks(evidence),
    slot: slot?.slot,
  });
};

/** The right that a leaf, or the entry above it, withholds from an access. */
const narrowed = (leaf: LeafSeen, { kind, mode }: AccessWords): string => {
  if (mode === 'user' && !(leaf.user && leaf.upperUser)) {
    return leaf.user ? 'lets the user in, but the entry above it does not' : 'is for the kernel alone';
  }
  if (kind === 'write' && !(leaf.writable && leaf.upperWritable)) {
    return leaf.writable ? 'is writable, but the entry above it is not' : 'is read-only';
  }
  return `is ${rightsText(leaf)}`;
};

/** `death-is-final`, and anything else that a dead guest does. */
export const explainDead: Explainer = (evidence) => {
  const { killed, here, index, moment, divergence } = evidence;
  if (killed === undefined) return undefined;
  const { outcome } = moment.subject;
  const yet = `the guest was killed at step ${killed.step} ("${killed.reason}"), yet ${here} still`;
  return outcome.kind === 'dead'
    ? sentence(`${yet} changes the ${divergence.field}${movedMappings(evidence)}`, { step: index })
    : sentence(`${yet} ${outcomeHappened(outcome)}`, { step: killed.step });
};

const movedMappings = ({ moment, before }: Evidence): string => {
  const texts = (moment.shadow?.slots ?? []).flatMap(({ slot, leaves: now }) => {
    const earlier = before?.shadow?.slots[slot].leaves ?? new Map<number, LeafSeen>();
    const lost = [...earlier.keys()].filter((vaddr) => !now.has(vaddr)).length;
    const came = [...now.keys()].filter((vaddr) => !earlier.has(vaddr)).length;
    const moves = [...(lost === 0 ? [] : [`loses ${leaves(lost)}`]), ...(came === 0 ? [] : [`gains ${leaves(came)}`])];
    return moves.length === 0 ? [] : [`slot ${slot} ${moves.join(' and ')}`];
  });
  return texts.length === 0 ? '' : `: ${texts.join(', ')}`;
};

const leaves = (count: number): string => (count === 1 ? 'a leaf' : `${count} leaves`);

/** `host-intact`: the hypervisor's own bookkeeping broke. */
export const explainHostBug: Explainer = (evidence) => {
  const { here, moment, killed, step } = evidence;
  const { outcome } = moment.subject;
  if (outcome.kind !== 'host-bug') return undefined;
  const broke = `${here} breaks the hypervisor itself (${outcome.reason})`;
  if (step !== undefined) {
    const effect = moment.model.outcome.kind === 'killed' ? undefined : requiredEffect(evidence);
    return sentence(`${broke}; it ${effect ?? mustWithReason(evidence)}`, marks(evidence));
  }
  const left = killed === undefined ? undefined : leftBehind(evidence, killed.step);
  if (killed === undefined || left === undefined) return sentence(broke);
  const released = outcome.cause === 'reference-underflow' ? `gave ${targetText(left)} back and ` : '';
  const text = `${broke}: step ${killed.step}, which killed the guest ("${killed.reason}"), ${released}left ${leafName(left)}, to ${targetText(left)}, in place`;
  return sentence(text, focusOnLeaf(left, killed.step));
};

/** The leaf that a step which killed the guest was about to replace, and that is still there. */
const leftBehind = (evidence: Evidence, index: number): LeafSeen | undefined => {
  const step = evidence.program.steps[index];
  const shadow = shadowBefore(evidence);
  return 'vaddr' in step ? leafIn(shadow?.slots[shadow.currentSlot], step.vaddr) : undefined;
};

/** `accessed-dirty`, at the end: guest RAM that differs. */
export const explainRam: Explainer = ({ divergence, location, history }) => {
  const { paddr } = location;
  if (paddr === undefined) return undefined;
  const step = history.lastWriter(paddr);
  const by = step === undefined ? 'nothing else was stored there' : `step ${step} left ${divergence.expected} there`;
  const text = `in the end the subject's guest RAM holds ${divergence.actual} at ${formatHex(paddr)}; ${by}`;
  return sentence(text, { paddr, step });
};

/** `accessed-dirty`: bits that the hypervisor must set in guest RAM, and no others. */
export const explainStore: Explainer = (evidence) => {
  const { location, history, index, here, moment } = evidence;
  const { paddr } = location;
  if (paddr === undefined || index === undefined) return undefined;
  const was = history.before(paddr, index);
  const want = moment.model.stores?.find((store) => store.paddr === paddr)?.value;
  const got = moment.subject.stores?.find((store) => store.paddr === paddr)?.value;
  const text = `${here} ${storeText(entryName(evidence, paddr), was, want, got, evidence)}`;
  return sentence(text, { ...marks(evidence), paddr });
};

const storeText = (
  entry: string,
  was: GuestEntry,
  want: GuestEntry | undefined,
  got: GuestEntry | undefined,
  { guest }: Evidence,
): string => {
  if (got === undefined) {
    const bits = want === undefined ? 'A or D' : flagNames(want.low & ~was.low);
    const word = `${formatHexEntry(was)} (${describeEntry(was, guest.config)})`;
    return `must set ${bits} in ${entry}; it left the entry as it was, ${word}`;
  }
  const made = `it changed ${formatHexEntry(was)} to ${formatHexEntry(got)}`;
  if (((got.low ^ was.low) & ~(A | D)) !== 0 || got.high !== was.high) {
    const lost = flagNames(was.low & ~got.low);
    return `may set nothing but A and D in ${entry}; ${made}${lost === '' ? '' : `, so that ${lost} is lost`}`;
  }
  if (want === undefined) return `must write nothing to ${entry}; ${made}`;
  return `must make ${formatHexEntry(want)} of ${entry}; ${made}, so that ${flagNames(want.low ^ got.low)} is wrong`;
};

const flagNames = (bits: number): string => entryBits(guestEntry(bits)).join(' and ');

/** `the guest's PTE at 0x1000`, or the word if no walk meets it. */
const entryName = (evidence: Evidence, at: number): string => {
  const { step, guest } = evidence;
  const stack = Array.from({ length: Math.min(guest.stackPages, MOST_STACK_PAGES) }, (_, page) =>
    guest.stackPage(page),
  );
  const addresses = step !== undefined && 'vaddr' in step ? [step.vaddr] : stack;
  const met = addresses.flatMap((address) => walkWords(evidence, address));
  return met.find((each) => each.at === at)?.name ?? `the guest's word at ${formatHex(at)}`;
};

/** `determinism`: two answers to one program. */
export const explainRepetition: Explainer = ({ divergence: { field, expected, actual }, here, index }) =>
  sentence(
    `run twice, the same program ends ${here} in two ways: ${field} ${expected} the first time, ${actual} the second`,
    { step: index },
  );

/** What was due and what came, where no more is known. */
export const explainPlainly = ({ divergence, here, index }: Evidence): Sentence => {
  const { field, expected, actual } = divergence;
  return sentence(`after ${here}, the ${field} should be "${expected}", and is "${actual}"`, { step: index });
};
