/** Narrators of invariants that compare what a step answered. */

import { describeEntry, entryBits, formatHex, formatHexEntry, readJson } from '../../formats/index.js';
import type { GuestEntry, Outcome } from '../../../model/vocabulary/index.js';
import { MOST_STACK_PAGES, guestEntry } from '../../../model/vocabulary/index.js';
import { dirty, isWritable } from '../../uncached-walk.js';
import type { LeafSeen } from '../shadow-snapshot.js';
import { leafText, rightsText, sinceText, targetText } from '../words.js';
import { requiredEffect } from './required-effect.js';
import type { Evidence, Explainer, Sentence } from './evidence.js';
import { currentLeaf, leafIn, shadowOf, sentence } from './evidence.js';
import type { AccessWords } from './guest-reasons.js';
import { outcomeHappened, outcomeVerb, walkWords, whyExpected, whyKilled } from './guest-reasons.js';

/** `coherence`, `translation` and `kill-decision`: one answer where another was due. */
export const explainOutcome: Explainer = (evidence) => {
  const { step, here, moment } = evidence;
  const expected = moment.reference.outcome;
  const actual = moment.subject.outcome;
  if (step === undefined) return undefined;
  if (expected.kind === 'ok') return needlessKill(evidence, actual);
  const because = whyExpected(evidence);
  const must = `${here} must ${outcomeVerb(expected)}${because === undefined ? '' : `, because ${because}`}`;
  const leaf = 'vaddr' in step ? currentLeaf(evidence, step.vaddr) : undefined;
  const by =
    actual.kind === 'mapped' && leaf !== undefined
      ? ` by the shadow leaf ${leafText(leaf)}${leafSince(evidence, leaf.since)}`
      : '';
  const happened = happenedText(evidence);
  return sentence(`${must}; ${happened}${by}`, { ...marks(evidence), slot: leaf?.slot });
};

const happenedText = (evidence: Evidence): string => {
  const expected = evidence.moment.reference.outcome;
  const actual = evidence.moment.subject.outcome;
  if (actual.kind === 'ok') return 'it went on as if nothing were wrong';
  if (actual.kind !== 'killed') return `it ${outcomeHappened(actual)}`;
  if (expected.kind === 'killed') return `the reason given was "${actual.reason}"`;
  const because = whyKilled(evidence, actual);
  return `it ${outcomeHappened(actual)}${because === undefined ? '' : `: ${because}`}`;
};

/** Steps are named only if they came before. */
const leafSince = ({ index }: Evidence, since: number | undefined): string =>
  since === index ? ', which it installed' : sinceText(since);

const marks = ({ step, index }: Evidence): Sentence['focus'] => ({
  step: index,
  vaddr: step !== undefined && 'vaddr' in step ? step.vaddr : undefined,
});

const needlessKill = (evidence: Evidence, actual: Outcome): Sentence => {
  const { here, step } = evidence;
  const because = actual.kind === 'killed' ? whyKilled(evidence, actual) : undefined;
  const effect = requiredEffect(evidence);
  const about = because === undefined ? '' : `: ${because}`;
  // Only with RW and D is the page taken for writing (machine.md 3, set-pte).
  const withheld = because !== undefined && actual.kind === 'killed' && actual.cause === 'page-refused';
  const lacking = step?.op === 'set-pte' && withheld ? lackedForWriting(step.pte) : undefined;
  const harmless = lacking === undefined ? '' : `, and an entry without ${lacking} asks for no more`;
  return sentence(
    `${here}${effect === undefined ? '' : `, which ${effect},`} must not kill the guest; it ${outcomeHappened(actual)}${about}${harmless}`,
    marks(evidence),
  );
};

const lackedForWriting = (entry: GuestEntry): string | undefined => {
  if (!isWritable(entry)) return 'RW';
  return dirty(entry) ? undefined : 'D';
};

/** `progress`: a fault that was reported fixed comes again. */
export const explainStuck: Explainer = (evidence) => {
  const { step, here, moment } = evidence;
  if (step?.op !== 'access') return undefined;
  const leaf = currentLeaf(evidence, step.vaddr);
  const slot = shadowOf(evidence)?.currentSlot;
  const why =
    leaf === undefined
      ? slot === undefined
        ? ''
        : `: slot ${slot} has no shadow leaf for ${formatHex(step.vaddr)}`
      : `: the shadow leaf for ${formatHex(leaf.vaddr)} in slot ${leaf.slot} ${narrowed(leaf, step)}`;
  const expected = moment.reference.outcome;
  const because = whyExpected(evidence);
  const right = `it must ${outcomeVerb(expected)}${because === undefined ? '' : `, because ${because}`}`;
  return sentence(`${here} faults for ever${why}; ${right}`, { ...marks(evidence), slot });
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

/** `death-is-final`, and whatever else a dead guest does. */
export const explainDead: Explainer = (evidence) => {
  const { killed, here, index, moment, divergence } = evidence;
  if (killed === undefined) return undefined;
  const { outcome } = moment.subject;
  const death = `the guest was killed at step ${killed.step} ("${killed.reason}")`;
  if (outcome.kind !== 'dead') {
    return sentence(`${death}, yet ${here} still ${outcomeHappened(outcome).replace(/^answered/, 'answers')}`, {
      step: killed.step,
    });
  }
  return sentence(`${death}, yet ${here} still changes the ${divergence.field}${lostMappings(evidence)}`, {
    step: index,
  });
};

const lostMappings = ({ moment, before }: Evidence): string => {
  const now = moment.shadow?.slots ?? [];
  const texts = now.flatMap((slot) => {
    const earlier = before?.shadow?.slots[slot.slot].leaves ?? new Map();
    const lost = [...earlier.values()].filter(({ vaddr }) => !slot.leaves.has(vaddr)).length;
    const came = [...slot.leaves.keys()].filter((vaddr) => !earlier.has(vaddr)).length;
    const counts = [lost === 0 ? '' : `loses ${leaves(lost)}`, came === 0 ? '' : `gains ${leaves(came)}`];
    const told = counts.filter((text) => text !== '').join(' and ');
    return told === '' ? [] : [`slot ${slot.slot} ${told}`];
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
    const effect = requiredEffect(evidence);
    const expected = moment.reference.outcome;
    const because = expected.kind === 'killed' ? whyKilled(evidence, expected) : undefined;
    const right =
      expected.kind === 'killed'
        ? `it must ${outcomeVerb(expected)}${because === undefined ? '' : `, because ${because}`}`
        : effect === undefined
          ? `it must ${outcomeVerb(expected)}`
          : `it ${effect}`;
    return sentence(`${broke}; ${right}`, marks(evidence));
  }
  const left = killed === undefined ? undefined : leftBehind(evidence, killed.step);
  if (killed === undefined || left === undefined) return sentence(broke);
  const released = outcome.reason.includes('reference') ? `gave ${targetText(left)} back and ` : '';
  const leaf = `the shadow leaf for ${formatHex(left.vaddr)} in slot ${left.slot}, to ${targetText(left)},`;
  const text = `${broke}: step ${killed.step}, which killed the guest ("${killed.reason}"), ${released}left ${leaf} in place`;
  return sentence(text, { step: killed.step, vaddr: left.vaddr, slot: left.slot, page: left.page });
};

/** The leaf that a step which killed the guest was about to replace, and that is still there. */
const leftBehind = (evidence: Evidence, index: number) => {
  const step = evidence.program.steps[index];
  if (!('vaddr' in step)) return undefined;
  const shadow = evidence.before?.shadow;
  return leafIn(shadow?.slots[shadow.currentSlot], step.vaddr);
};

/** `accessed-dirty`: bits that the hypervisor must set in guest RAM, and no others. */
export const explainStore: Explainer = (evidence) => {
  const { divergence, location, history, index, here, moment } = evidence;
  const at = location.paddr;
  if (at === undefined) return undefined;
  const address = formatHex(at);
  const focus = { step: index, paddr: at, vaddr: marks(evidence).vaddr };
  if (divergence.kind === 'guest-ram') {
    const writer = history.lastWriter(at);
    const by =
      writer === undefined ? 'nobody stored anything else there' : `step ${writer} left ${divergence.expected} there`;
    return sentence(`in the end the subject's guest RAM holds ${divergence.actual} at ${address}; ${by}`, {
      paddr: at,
      step: writer,
    });
  }
  const want = moment.reference.stores.find(({ paddr }) => paddr === at)?.value;
  const got = moment.subject.stores.find(({ paddr }) => paddr === at)?.value;
  const was = index === undefined ? undefined : history.before(at, index);
  if (was === undefined) return undefined;
  const entry = entryName(evidence, at);
  if (got === undefined) {
    const bits = want === undefined ? 'A or D' : flagNames(want.low & ~was.low);
    return sentence(
      `${here} must set ${bits} in ${entry}; it left the entry as it was, ${wordText(evidence, was)}`,
      focus,
    );
  }
  const made = `it changed ${formatHexEntry(was)} to ${formatHexEntry(got)}`;
  const wrong = (got.low ^ was.low) & ~0x60;
  if (wrong !== 0 || got.high !== was.high) {
    const lost = flagNames(was.low & ~got.low);
    const what = lost === '' ? '' : `, so that ${lost} is lost`;
    return sentence(`${here} may set nothing but A and D in ${entry}; ${made}${what}`, focus);
  }
  if (want === undefined) return sentence(`${here} must write nothing to ${entry}; ${made}`, focus);
  const differing = flagNames(want.low ^ got.low);
  return sentence(
    `${here} must make ${formatHexEntry(want)} of ${entry}; ${made}, so that ${differing} is wrong`,
    focus,
  );
};

/** `0x2023 (pfn 2 P RW A)`. */
const wordText = ({ guest }: Evidence, word: GuestEntry): string =>
  `${formatHexEntry(word)} (${describeEntry(word, guest.config.paging)})`;

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
export const explainRepetition: Explainer = ({ divergence, here, index }) => {
  const [first, second] = [divergence.expected, divergence.actual].map((text) => fields(text));
  if (first === undefined || second === undefined) return undefined;
  const name = [...first.keys()].find((key) => first.get(key) !== second.get(key));
  if (name === undefined) return undefined;
  return sentence(
    `run twice, the same program ends ${here} in two ways: ${name} ${first.get(name)} the first time, ${second.get(name)} the second`,
    { step: index },
  );
};

/** The members of an observation in JSON, each as text. */
const fields = (text: string): ReadonlyMap<string, string> | undefined => {
  try {
    const value = readJson(text, 'observation', 'answer');
    if (typeof value !== 'object' || value === null) return undefined;
    return new Map(Object.entries(value).map(([name, member]) => [name, JSON.stringify(member)]));
  } catch {
    return undefined;
  }
};

/** Used where nobody can say more: what was due, and what came. */
export const explainPlainly = ({ divergence, here, index }: Evidence): Sentence => {
  const { field, expected, actual } = divergence;
  return sentence(`after ${here}, the ${field} should be "${expected}", and is "${actual}"`, { step: index });
};
