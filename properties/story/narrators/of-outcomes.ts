/** Narrators of invariants that compare what a step answered. */

import { formatHex } from '../../../model/format/index.js';
import type { Outcome } from '../../../model/vocabulary/index.js';
import { leafText, rightsText, sinceText, targetText } from '../words.js';
import { dutyOf } from './duty.js';
import type { Evidence, Narrator, Told } from './evidence.js';
import { currentLeaf, leafIn, shadowOf, told } from './evidence.js';
import { outcomeHappened, outcomeVerb, walkWords, whyExpected, whyKilled } from './guest-reasons.js';

/** `coherence`, `translation` and `kill-decision`: one answer where another was due. */
export const answerNarrator: Narrator = (evidence) => {
  const { step, here, moment } = evidence;
  const expected = moment.reference.outcome;
  const actual = moment.subject.outcome;
  if (step === undefined) return undefined;
  if (expected.kind === 'ok') return needlessKill(evidence, actual);
  const because = whyExpected(evidence);
  const must = `${here} must ${outcomeVerb(expected)}${because === undefined ? '' : `, because ${because}`}`;
  const leaf = 'vaddr' in step ? currentLeaf(evidence, step.vaddr) : undefined;
  const by = actual.kind === 'mapped' && leaf !== undefined ? ` by the shadow leaf ${leafText(leaf)}${leafSince(evidence, leaf.since)}` : '';
  const happened = moment.subject.outcome.kind === 'ok' ? 'it went on as if nothing were wrong' : `it ${outcomeHappened(actual)}`;
  return told(`${must}; ${happened}${by}`, { ...marks(evidence), slot: leaf?.slot });
};

/** Steps are named only if they came before. */
const leafSince = ({ index }: Evidence, since: number | undefined): string =>
  since === index ? ' that it installed' : sinceText(since);

const marks = ({ step, index }: Evidence): Told['focus'] => ({
  step: index,
  vaddr: step !== undefined && 'vaddr' in step ? step.vaddr : undefined,
});

const needlessKill = (evidence: Evidence, actual: Outcome): Told => {
  const { here, step } = evidence;
  const because = actual.kind === 'killed' ? whyKilled(evidence, actual.reason) : undefined;
  const duty = dutyOf(evidence);
  const about = because === undefined ? '' : `, for ${because}`;
  const harmless =
    step?.op === 'set-pte' && actual.kind === 'killed' && actual.reason.startsWith('failed to get page')
      ? '; the entry asks for no more than the page allows'
      : '';
  return told(
    `${here}${duty === undefined ? '' : `, which ${duty},`} must go on; it ${outcomeHappened(actual)}${about}${harmless}`,
    marks(evidence),
  );
};

/** `progress`: a fault that was reported fixed comes again. */
export const stuckNarrator: Narrator = (evidence) => {
  const { step, here, moment } = evidence;
  if (step?.op !== 'access') return undefined;
  const leaf = currentLeaf(evidence, step.vaddr);
  const slot = shadowOf(evidence)?.currentSlot;
  const asked = `${step.kind === 'write' ? 'write' : 'read'} as ${step.mode}`;
  const why =
    leaf === undefined
      ? slot === undefined
        ? ''
        : `: slot ${slot} has no shadow leaf for ${formatHex(step.vaddr)}`
      : `: the shadow leaf for ${formatHex(leaf.vaddr)} in slot ${leaf.slot} ${narrowed(leaf)}, which does not let it ${asked}`;
  const expected = moment.reference.outcome;
  const because = whyExpected(evidence);
  const right = `it must ${outcomeVerb(expected)}${because === undefined ? '' : `, because ${because}`}`;
  return told(`${here} never ends${why}; ${right}`, { ...marks(evidence), slot });
};

const narrowed = (leaf: Parameters<typeof rightsText>[0]): string => {
  const own = rightsText({ ...leaf, upperUser: true, upperWritable: true });
  const upper = rightsText({ writable: true, user: true, upperUser: leaf.upperUser, upperWritable: leaf.upperWritable });
  return own === upper ? `is ${own}` : `is ${own} under an upper entry that is ${upper}`;
};

/** `death-is-final`, and whatever else a dead guest does. */
export const deadNarrator: Narrator = ({ killed, here, index, moment, before, divergence, ...rest }) => {
  if (killed === undefined) return undefined;
  const { outcome } = moment.subject;
  const death = `the guest was killed at step ${killed.step} ("${killed.reason}")`;
  if (outcome.kind !== 'dead') {
    return told(`${death}, yet ${here} still ${outcomeHappened(outcome).replace(/^answered/, 'answers')}`, { step: killed.step });
  }
  const lost = lostMappings({ killed, here, index, moment, before, divergence, ...rest });
  return told(`${death}, yet ${here} still changes the ${divergence.field}${lost}`, { step: index });
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
export const hostBugNarrator: Narrator = (evidence) => {
  const { here, moment, killed, step } = evidence;
  const { outcome } = moment.subject;
  if (outcome.kind !== 'host-bug') return undefined;
  const broke = `${here} breaks the hypervisor itself (${outcome.reason})`;
  if (step !== undefined) {
    const duty = dutyOf(evidence);
    const expected = moment.reference.outcome;
    const because = expected.kind === 'killed' ? whyKilled(evidence, expected.reason) : undefined;
    const right =
      expected.kind === 'killed'
        ? `it must ${outcomeVerb(expected)}${because === undefined ? '' : `, because ${because}`}`
        : duty === undefined
          ? `it must ${outcomeVerb(expected)}`
          : `the step ${duty}`;
    return told(`${broke}; ${right}`, marks(evidence));
  }
  const left = killed === undefined ? undefined : leftBehind(evidence, killed.step);
  if (killed === undefined || left === undefined) return told(broke);
  const text = `${broke}: step ${killed.step}, which killed the guest ("${killed.reason}"), released the page under the shadow leaf for ${formatHex(left.vaddr)} in slot ${left.slot} and left the leaf, to ${targetText(left)}, in place`;
  return told(text, { step: killed.step, vaddr: left.vaddr, slot: left.slot, page: left.page });
};

/** The leaf that a step which killed the guest was about to replace, and that is still there. */
const leftBehind = (evidence: Evidence, index: number) => {
  const step = evidence.program.steps[index];
  if (!('vaddr' in step)) return undefined;
  const shadow = evidence.before?.shadow;
  return leafIn(shadow?.slots[shadow.currentSlot], step.vaddr);
};

/** `accessed-dirty`: bits that the hypervisor must set in guest RAM, and no others. */
export const storeNarrator: Narrator = (evidence) => {
  const { divergence, spot, history, index, here, moment } = evidence;
  const at = spot.paddr;
  if (at === undefined) return undefined;
  const address = formatHex(at);
  const focus = { step: index, paddr: at, vaddr: marks(evidence).vaddr };
  if (divergence.field.startsWith('guest RAM')) {
    const writer = history.lastWriter(at as never);
    const by = writer === undefined ? 'nobody stored anything else there' : `step ${writer} left ${divergence.expected} there`;
    return told(`in the end the subject's guest RAM holds ${divergence.actual} at ${address}; ${by}`, { paddr: at, step: writer });
  }
  const want = moment.reference.stores.find(({ paddr }) => paddr === at)?.value;
  const got = moment.subject.stores.find(({ paddr }) => paddr === at)?.value;
  const was = index === undefined ? undefined : history.before(at as never, index);
  if (was === undefined) return undefined;
  const entry = entryName(evidence, at);
  if (got === undefined) {
    const bits = want === undefined ? 'A or D' : flagNames(want.low & ~was.low);
    return told(`${here} must set ${bits} in ${entry}; the subject left it as it was, ${formatHex(was.low)}`, focus);
  }
  const wrong = (got.low ^ was.low) & ~0x60;
  if (wrong !== 0 || got.high !== was.high) {
    const lost = flagNames(was.low & ~got.low);
    const what = lost === '' ? 'other bits changed too' : `${lost} went lost`;
    return told(`${here} may set A and D alone in ${entry}; it made ${hexOf(was)} of it ${hexOf(got)}, and ${what}`, focus);
  }
  if (want === undefined) return told(`${here} must write nothing to ${entry}; it made ${hexOf(was)} of it ${hexOf(got)}`, focus);
  return told(`${here} must make ${hexOf(want)} of ${entry}; it made ${hexOf(got)} of it, so ${flagNames(want.low ^ got.low)} is wrong`, focus);
};

const hexOf = ({ low, high }: { readonly low: number; readonly high: number }): string =>
  high === 0 ? formatHex(low) : `${formatHex(high)}${low.toString(16).padStart(8, '0')}`;

const FLAG_NAMES = [
  ['P', 0x1],
  ['RW', 0x2],
  ['US', 0x4],
  ['PWT', 0x8],
  ['PCD', 0x10],
  ['A', 0x20],
  ['D', 0x40],
  ['PSE', 0x80],
  ['G', 0x100],
] as const;

const flagNames = (bits: number): string =>
  FLAG_NAMES.filter(([, bit]) => (bits & bit) !== 0)
    .map(([name]) => name)
    .join(' and ');

/** `the guest's PTE at 0x1000`, or the word if no walk meets it. */
const entryName = (evidence: Evidence, at: number): string => {
  const { step } = evidence;
  const met = step !== undefined && 'vaddr' in step ? walkWords(evidence, step.vaddr) : [];
  return met.find((each) => each.at === at)?.name ?? `the guest's word at ${formatHex(at)}`;
};

/** `determinism`: two answers to one program. */
export const repeatNarrator: Narrator = ({ divergence, here, index }) => {
  const [first, second] = [divergence.expected, divergence.actual].map((text) => fields(text));
  if (first === undefined || second === undefined) return undefined;
  const name = [...first.keys()].find((key) => first.get(key) !== second.get(key));
  if (name === undefined) return undefined;
  return told(
    `run twice, the same program ends ${here} in two ways: ${name} ${first.get(name)} the first time, ${second.get(name)} the second`,
    { step: index },
  );
};

/** The members of an observation in JSON, each as text. */
const fields = (text: string): ReadonlyMap<string, string> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    return new Map(Object.entries(value).map(([name, member]) => [name, JSON.stringify(member)]));
  } catch {
    return undefined;
  }
};

/** Used where nobody can say more: what was due, and what came. */
export const plainTold = ({ divergence, here, index }: Evidence): Told => {
  const { field, expected, actual } = divergence;
  return told(`after ${here}, ${field} must be "${expected}" and is "${actual}"`, { step: index });
};
