/** Narrators of invariants that look at single shadow leaves. */

import { formatHex } from '../../formats/index.js';
import type { Op, Paddr } from '../../../model/vocabulary/index.js';
import { LEVELS, accessed, dirty, isPresent, isUser, isWritable, pageOf } from '../../uncached-walk.js';
import type { ViolationKind } from '../../invariants/violation.js';
import type { LeafSeen } from '../shadow-snapshot.js';
import { listText, rightsText, sinceText, targetText } from '../words.js';
import { explainDead } from './outcomes.js';
import { requiredEffect } from './required-effect.js';
import type { Evidence, Explainer, Sentence } from './evidence.js';
import { gone, lastStep, leafIn, shadowOf, slotNow, sentence } from './evidence.js';
import type { Met } from './guest-reasons.js';
import { guestMoved, inWindow, walkWords } from './guest-reasons.js';

/** The leaf that the divergence names. */
const namedLeaf = (evidence: Evidence): LeafSeen | undefined => {
  const { vaddr, slot } = evidence.location;
  return vaddr === undefined ? undefined : leafIn(slotNow(evidence, slot), vaddr);
};

const where = ({ vaddr, slot }: LeafSeen): string => `the shadow leaf for ${formatHex(vaddr)} in slot ${slot}`;

const focusOn = ({ slot, vaddr, page, target }: LeafSeen, step: number | undefined): Sentence['focus'] => ({
  slot,
  vaddr,
  page: target === 'ram' ? page : undefined,
  step,
});

/** Who installed a leaf, if that was this step or an earlier one. */
const installed = ({ index, here }: Evidence, { since }: LeafSeen): string => {
  if (since === undefined) return '';
  return since === index ? `, which ${here} installed,` : `, there since step ${since},`;
};

/** `confinement`: a leaf to a page that is not the guest's, or the guest's page where none may be. */
export const explainForeignPage: Explainer = (evidence) => {
  const leaf = namedLeaf(evidence);
  if (leaf === undefined) return undefined;
  const { guest } = evidence;
  const lies = `${where(leaf)}${installed(evidence, leaf)}`;
  const { guestPages } = guest.config;
  const text =
    leaf.vaddr >= guest.sizes.switcherAddress
      ? `${lies} leads to ${targetText(leaf)}, but ${inWindow(evidence, leaf.vaddr)}, which holds the hypervisor's own pages alone`
      : `${lies} leads to ${targetText(leaf)}, which is not the guest's: guest RAM ends with page ${guestPages - 1}`;
  return sentence(text, focusOn(leaf, leaf.since));
};

/** `least-privilege`: a leaf that allows more than the guest's entries. */
export const explainExcess: Explainer = (evidence) => {
  const leaf = namedLeaf(evidence);
  if (evidence.killed !== undefined) return explainDead(evidence);
  if (leaf === undefined) return undefined;
  const { kind } = evidence.divergence;
  const because = whyNot(evidence, leaf, kind);
  const has = `${where(leaf)}${installed(evidence, leaf)} ${excess(leaf, kind)}`;
  return sentence(because === undefined ? has : `${has}, but ${because.text}`, {
    ...focusOn(leaf, because?.step ?? leaf.since),
    paddr: because?.paddr,
  });
};

const excess = (leaf: LeafSeen, kind: ViolationKind | undefined): string => {
  if (kind === 'leaf-writable') return `lets the guest write to ${targetText(leaf)}`;
  if (kind === 'leaf-for-user') return `lets the guest's user reach ${targetText(leaf)}`;
  return `leads to ${targetText(leaf)}`;
};

interface Because {
  readonly text: string;
  readonly step?: number | undefined;
  readonly paddr?: Paddr;
}

const whyNot = (evidence: Evidence, leaf: LeafSeen, kind: ViolationKind | undefined): Because | undefined => {
  const { step, history } = evidence;
  if (step?.op === 'set-pte' && step.vaddr >>> 12 === leaf.vaddr / 4096) {
    if (kind === 'leaf-writable') return { text: `the announced entry has no ${isWritable(step.pte) ? 'D' : 'RW'}` };
    if (kind === 'leaf-for-user') return { text: 'the announced entry has no US' };
    return { text: `the announced entry leads to page ${pageOf(step.pte)}` };
  }
  const met = walkWords(evidence, leaf.vaddr, slotNow(evidence, leaf.slot)?.root);
  const counted = met.filter(({ depth }) => LEVELS[evidence.guest.config.paging][depth].hasRights);
  const lacking = (name: string, found: Met | undefined, has: typeof isUser): Because | undefined => {
    if (found === undefined) return undefined;
    const since = history.since(found.at, (entry) => !has(entry));
    return { text: `${found.name} has no ${name}${sinceText(since)}`, step: since, paddr: found.at };
  };
  const end = met.find(({ isLeaf }) => isLeaf);
  if (kind === 'leaf-for-user')
    return lacking(
      'US',
      counted.find(({ entry }) => !isUser(entry)),
      isUser,
    );
  if (kind === 'leaf-writable') {
    const closed = lacking(
      'RW',
      counted.find(({ entry }) => !isWritable(entry)),
      isWritable,
    );
    const clean = end === undefined || dirty(end.entry) ? undefined : lacking('D yet', end, dirty);
    if (closed !== undefined || clean === undefined) return closed;
    return { ...clean, text: `${clean.text}, so the first write must fault to set it` };
  }
  if (end === undefined) return undefined;
  const since = history.since(end.at, (entry) => pageOf(entry) === pageOf(end.entry));
  return {
    text: `${end.name} says page ${pageOf(end.entry)}${sinceText(since)}, which is not RAM`,
    step: since,
    paddr: end.at,
  };
};

/** `kernel-broadcast`: a slot that missed what all must follow. */
export const explainDisagreement: Explainer = (evidence) => {
  const leaf = namedLeaf(evidence);
  if (leaf === undefined) return undefined;
  const { step, divergence, index } = evidence;
  const maps = `${where(leaf)} still maps ${targetText(leaf)}${sinceText(leaf.since)}`;
  if (step?.op !== 'set-pte') {
    const rule = 'and a kernel address must lead to the same page in all';
    return sentence(`${maps}, where another slot maps ${divergence.expected}, ${rule}`, focusOn(leaf, leaf.since));
  }
  const moved = guestMoved(evidence, leaf, slotNow(evidence, leaf.slot)?.root);
  const news = moved === undefined ? 'the guest' : `${moved.text} and`;
  const rule = `announced it at step ${index} (set-pte), which every slot must follow for a kernel address`;
  return sentence(`${maps}; ${news} ${rule}`, focusOn(leaf, index));
};

/** `flush`: mappings that stayed, or others that went. */
export const explainFlush: Explainer = (evidence) => {
  const { divergence, location, here, index } = evidence;
  const effect = requiredEffect(evidence);
  const rule = effect === undefined ? here : `${here}, which ${effect}`;
  if (divergence.kind !== 'mappings-stayed') {
    const another = divergence.kind === 'mappings-of-another-slot-went';
    const lost = gone(evidence).filter((leaf) => leaf.slot === location.slot && (another || !mustGo(evidence, leaf)));
    if (lost.length === 0) return undefined;
    return sentence(`${rule}, also took away ${listText(lost.map(leafWords))}`, focusOn(lost[0], index));
  }
  const leaf = stayed(evidence);
  if (leaf === undefined) return undefined;
  if (leaf.since === index) {
    return sentence(`${where(leaf)} maps ${targetText(leaf)} after ${rule}${notYet(evidence)}`, focusOn(leaf, index));
  }
  const moved = guestMoved(evidence, leaf, slotNow(evidence, leaf.slot)?.root);
  const announced = evidence.step !== undefined && ANNOUNCEMENTS.has(evidence.step.op);
  const news = moved === undefined ? '' : `; ${moved.text}${announced ? ` and announced it at step ${index}` : ''}`;
  return sentence(
    `${where(leaf)} still maps ${targetText(leaf)} after ${rule}${news}`,
    focusOn(leaf, moved?.step ?? index),
  );
};

/** Hypercalls by which a guest says that it changed an entry. */
const ANNOUNCEMENTS: ReadonlySet<Op> = new Set(['set-pte', 'set-pgd', 'set-pmd']);

/** Why an announced entry may not be installed at once (machine.md 3, set-pte). */
const notYet = ({ step }: Evidence): string => {
  if (step?.op !== 'set-pte') return '';
  if (!isPresent(step.pte)) return '; an entry that is not present may not be installed';
  return accessed(step.pte) ? '' : '; an entry without A must wait until somebody uses it';
};

const leafWords = (leaf: LeafSeen): string =>
  `the leaf for ${formatHex(leaf.vaddr)} → ${targetText(leaf)} in slot ${leaf.slot}`;

/** The first leaf that the step must take away. */
const stayed = (evidence: Evidence): LeafSeen | undefined =>
  [...(slotNow(evidence, evidence.location.slot)?.leaves.values() ?? [])].find((leaf) => mustGo(evidence, leaf));

/** The leaf lies in the range that the step must empty. The slot is that of the divergence. */
const mustGo = ({ step, guest }: Evidence, { vaddr }: LeafSeen): boolean => {
  if (vaddr >= guest.sizes.switcherAddress) return false;
  switch (step?.op) {
    case 'set-pte':
      return step.vaddr >>> 12 === vaddr / 4096;
    case 'set-pgd':
      return Math.floor(vaddr / guest.sizes.rootEntryReach) === step.index;
    case 'new-pgtable':
      return vaddr < guest.kernelAddress;
    case 'flush-tlb':
      return step.scope === 'all' || vaddr < guest.kernelAddress;
    default:
      return true;
  }
};

/** `stack-pinned`: a stack page on which a trap would fault. */
export const explainStack: Explainer = (evidence) => {
  const { location, here } = evidence;
  const slot = shadowOf(evidence)?.currentSlot;
  if (location.vaddr === undefined || slot === undefined) return undefined;
  const leaf = leafIn(slotNow(evidence, slot), location.vaddr);
  const asked = lastStep({ ...evidence, index: (evidence.index ?? 0) + 1 }, ({ op }) => op === 'set-stack');
  const by =
    asked === undefined || asked.index === evidence.index ? '' : `, which step ${asked.index} (set-stack) asked for,`;
  const state =
    leaf === undefined
      ? 'it has no leaf there'
      : leaf.writable
        ? `its leaf to ${targetText(leaf)} is read-write under an upper entry that is read-only`
        : `its leaf to ${targetText(leaf)} is ${rightsText(leaf).split(' ')[0]}`;
  const text = `after ${here}, the stack page at ${formatHex(location.vaddr)}${by} must be mapped writable in slot ${slot}, the current one; ${state}`;
  return sentence(text, { vaddr: location.vaddr, slot, step: asked?.index });
};
