/** Explainers of invariants that look at single shadow leaves, or at which slot shadows a root. */

import { formatHex } from '../../formats/index.js';
import type { NewPgtableStep, Op } from '../../../model/vocabulary/index.js';
import { accessed, dirty, isPresent, isWritable, pageOf } from '../../uncached-walk.js';
import type { LeafSeen, SlotSeen } from '../shadow-snapshot.js';
import { leafName, listText, rightsText, sinceText, targetText } from '../words.js';
import { explainDead } from './outcomes.js';
import { hereWithEffect, requiredEffect } from './required-effect.js';
import type { Evidence, Explainer, Sentence } from './evidence.js';
import { currentSlot, focusOnLeaf, gone, lastStep, leafIn, sentence, shadowOf, slotNow } from './evidence.js';
import type { Because } from './guest-reasons.js';
import { guestMoved, inWindow, lacks, walkWords, withheld } from './guest-reasons.js';

/** The leaf that the divergence names. */
const namedLeaf = (evidence: Evidence): LeafSeen | undefined => {
  const { vaddr, slot } = evidence.location;
  return vaddr === undefined ? undefined : leafIn(slotNow(evidence, slot), vaddr);
};

/** `the shadow leaf for 0x0 in slot 0, which step 5 (set-stack) installed,`. */
const installedLeaf = ({ index, here }: Evidence, leaf: LeafSeen): string => {
  if (leaf.since === undefined) return leafName(leaf);
  const installed = leaf.since === index ? `which ${here} installed` : `there since step ${leaf.since}`;
  return `${leafName(leaf)}, ${installed},`;
};

/** `confinement`: a leaf to a page that is not the guest's, or the guest's page where none may be. */
export const explainForeignPage: Explainer = (evidence) => {
  const leaf = namedLeaf(evidence);
  if (leaf === undefined) return undefined;
  const { guest } = evidence;
  const wrong =
    leaf.vaddr >= guest.sizes.switcherAddress
      ? `but ${inWindow(evidence, leaf.vaddr)}, which holds the hypervisor's own pages alone`
      : `which is not the guest's: guest RAM ends with page ${guest.config.guestPages - 1}`;
  const text = `${installedLeaf(evidence, leaf)} leads to ${targetText(leaf)}, ${wrong}`;
  return sentence(text, focusOnLeaf(leaf, leaf.since));
};

/** `least-privilege`: a leaf that allows more than the guest's entries. */
const explainExcess =
  (excess: string, whyNot: (evidence: Evidence, leaf: LeafSeen) => Because | undefined): Explainer =>
  (evidence) => {
    if (evidence.killed !== undefined) return explainDead(evidence);
    const leaf = namedLeaf(evidence);
    if (leaf === undefined) return undefined;
    const because = whyNot(evidence, leaf);
    const has = `${installedLeaf(evidence, leaf)} ${excess} ${targetText(leaf)}`;
    return sentence(because === undefined ? has : `${has}, but ${because.text}`, {
      ...focusOnLeaf(leaf, because?.step ?? leaf.since),
      paddr: because?.paddr,
    });
  };

/** The entry that the step announces for this very leaf. */
const announced = ({ step }: Evidence, { vaddr }: LeafSeen) =>
  step?.op === 'set-pte' && step.vaddr >>> 12 === vaddr / 4096 ? step.pte : undefined;

const walkOf = (evidence: Evidence, { vaddr, slot }: LeafSeen) =>
  walkWords(evidence, vaddr, slotNow(evidence, slot)?.root);

export const explainUserLeaf = explainExcess("lets the guest's user reach", (evidence, leaf) =>
  announced(evidence, leaf) === undefined
    ? withheld(evidence, walkOf(evidence, leaf), 'US')
    : { text: 'the announced entry has no US' },
);

export const explainWritableLeaf = explainExcess('lets the guest write to', (evidence, leaf) => {
  const entry = announced(evidence, leaf);
  if (entry !== undefined) return { text: `the announced entry has no ${isWritable(entry) ? 'D' : 'RW'}` };
  const met = walkOf(evidence, leaf);
  const readOnly = withheld(evidence, met, 'RW');
  const clean = met.find((each) => each.isLeaf && !dirty(each.entry));
  if (readOnly !== undefined || clean === undefined) return readOnly;
  const because = lacks(evidence, clean, 'D');
  return { ...because, text: `${because.text}, so the first write must fault to set it` };
});

export const explainWrongPage = explainExcess('leads to', (evidence, leaf) => {
  const entry = announced(evidence, leaf);
  if (entry !== undefined) return { text: `the announced entry leads to page ${pageOf(entry)}` };
  const end = walkOf(evidence, leaf).find(({ isLeaf }) => isLeaf);
  if (end === undefined) return undefined;
  const page = pageOf(end.entry);
  const step = evidence.history.since(end.at, (word) => pageOf(word) === page);
  const notRam = page < evidence.guest.config.guestPages ? '' : ', which is not RAM';
  return { text: `${end.name} leads to page ${page}${sinceText(step)}${notRam}`, step, paddr: end.at };
});

export const explainLeafWithoutEntry = explainExcess('leads to', (evidence, leaf) => {
  if (announced(evidence, leaf) !== undefined) return { text: 'the announced entry is not present' };
  const absent = walkOf(evidence, leaf).find(({ entry }) => !isPresent(entry));
  return absent === undefined ? undefined : lacks(evidence, absent, 'P');
});

/** `kernel-broadcast`: a slot that missed what all must follow. */
export const explainDisagreement: Explainer = (evidence) => {
  const leaf = namedLeaf(evidence);
  if (leaf === undefined) return undefined;
  const { step, divergence, index } = evidence;
  const maps = `${leafName(leaf)} still maps ${targetText(leaf)}${sinceText(leaf.since)}`;
  if (step?.op !== 'set-pte') {
    const rule = 'and a kernel address must lead to the same page in all';
    return sentence(`${maps}, where another slot maps ${divergence.expected}, ${rule}`, focusOnLeaf(leaf, leaf.since));
  }
  const moved = guestMoved(evidence, leaf, slotNow(evidence, leaf.slot)?.root);
  const news = moved === undefined ? 'the guest' : `${moved.text} and`;
  const rule = `announced it at step ${index} (set-pte), which every slot must follow for a kernel address`;
  return sentence(`${maps}; ${news} ${rule}`, focusOnLeaf(leaf, index));
};

/** `flush`: mappings that stayed. */
export const explainStayed: Explainer = (evidence) => {
  const { location, step, index } = evidence;
  const slot = slotNow(evidence, location.slot);
  const leaf = [...(slot?.leaves.values() ?? [])].find((each) => mustGo(evidence, each));
  if (leaf === undefined) return undefined;
  const rule = hereWithEffect(evidence);
  if (leaf.since === index) {
    const text = `${leafName(leaf)} maps ${targetText(leaf)} after ${rule}${notYet(evidence)}`;
    return sentence(text, focusOnLeaf(leaf, index));
  }
  const moved = guestMoved(evidence, leaf, slot?.root);
  const announcement = step !== undefined && ANNOUNCEMENTS.has(step.op) ? ` and announced it at step ${index}` : '';
  const news = moved === undefined ? '' : `; ${moved.text}${announcement}`;
  return sentence(
    `${leafName(leaf)} still maps ${targetText(leaf)} after ${rule}${news}`,
    focusOnLeaf(leaf, moved?.step ?? index),
  );
};

/** `flush`: mappings that went and should have stayed. */
const explainLosses =
  (counts: (evidence: Evidence, leaf: LeafSeen) => boolean): Explainer =>
  (evidence) => {
    const lost = gone(evidence).filter((leaf) => leaf.slot === evidence.location.slot && counts(evidence, leaf));
    if (lost.length === 0) return undefined;
    const names = lost.map((leaf) => `${goneLeafName(leaf)} in slot ${leaf.slot}`);
    return sentence(
      `${hereWithEffect(evidence)}, also took away ${listText(names)}`,
      focusOnLeaf(lost[0], evidence.index),
    );
  };

export const explainLossesOfOtherSlot = explainLosses(() => true);
export const explainOtherLosses = explainLosses((evidence, leaf) => !mustGo(evidence, leaf));

const goneLeafName = (leaf: LeafSeen): string => `the leaf for ${formatHex(leaf.vaddr)} → ${targetText(leaf)}`;

/** Hypercalls that announce a changed entry. */
const ANNOUNCEMENTS: ReadonlySet<Op> = new Set(['set-pte', 'set-pgd', 'set-pmd']);

/** Why an announced entry may not be installed at once (machine.md 3, set-pte). */
const notYet = ({ step }: Evidence): string => {
  if (step?.op !== 'set-pte') return '';
  if (!isPresent(step.pte)) return '; an entry that is not present may not be installed';
  return accessed(step.pte) ? '' : '; an entry without A must wait for the first access';
};

/** Whether the leaf lies in the range that the step must empty, in the slot of the divergence. */
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
  const { location, here, index, step } = evidence;
  const slot = currentSlot(evidence);
  if (location.vaddr === undefined || slot === undefined) return undefined;
  const setAt = step?.op === 'set-stack' ? index : lastStep(evidence, ({ op }) => op === 'set-stack');
  const by = setAt === undefined || setAt === index ? '' : `, which step ${setAt} (set-stack) requested,`;
  const must = `must be mapped writable in slot ${slot.slot}, the current one`;
  const state = stackLeafState(leafIn(slot, location.vaddr));
  const text = `after ${here}, the stack page at ${formatHex(location.vaddr)}${by} ${must}; ${state}`;
  return sentence(text, { vaddr: location.vaddr, slot: slot.slot, step: setAt });
};

const stackLeafState = (leaf: LeafSeen | undefined): string => {
  if (leaf === undefined) return 'it has no leaf there';
  return leaf.writable
    ? `its leaf to ${targetText(leaf)} is read-write under an upper entry that is read-only`
    : `its leaf to ${targetText(leaf)} is ${rightsText(leaf).split(' ')[0]}`;
};

/** `pgdir-cache`: which slot a root is found in, or gets. */
const aboutSwitch =
  (explain: (evidence: Evidence, step: NewPgtableStep, slot: number) => Sentence): Explainer =>
  (evidence) => {
    const { step, location } = evidence;
    return step?.op === 'new-pgtable' && location.slot !== undefined
      ? explain(evidence, step, location.slot)
      : undefined;
  };

export const explainRootInTwoSlots = aboutSwitch((evidence, _, slot) => {
  const root = slotNow(evidence, slot)?.root;
  const other = shadowOf(evidence)?.slots.find((each) => each.root === root)?.slot;
  const twice = `slots ${other} and ${slot} both pass for shadows of root ${formatHex(root ?? 0)}`;
  const text = `after ${hereWithEffect(evidence)}, ${twice}; a root belongs to one slot alone`;
  return sentence(text, { step: evidence.index, slot });
});

export const explainChangedHit = aboutSwitch((evidence, { root }, slot) => {
  const lost = gone(evidence).filter((leaf) => leaf.slot === slot);
  const what = lost.length === 0 ? 'mappings came or went' : `${listText(lost.map(goneLeafName))} went`;
  return sentence(
    `${evidence.here} must find root ${formatHex(root)} cached in slot ${slot} and leave its mappings alone; ${what}`,
    { step: evidence.index, slot, vaddr: lost.at(0)?.vaddr },
  );
});

export const explainWrongRoot = aboutSwitch(({ here, divergence, index }, { root }, slot) =>
  sentence(`after ${here}, the current slot must shadow root ${formatHex(root)}; it shadows ${divergence.actual}`, {
    step: index,
    slot,
  }),
);

export const explainWrongSlot = aboutSwitch((evidence, _, slot) => {
  const was = evidence.before?.shadow?.slots[slot];
  const must = `${evidence.here} ${requiredEffect(evidence)}`;
  return sentence(`${must}; the subject took slot ${slot}${was === undefined ? '' : slotState(was)}`, {
    step: evidence.index,
    slot,
  });
});

const slotState = ({ blank, root }: SlotSeen): string => {
  if (blank) return ', a blank one';
  return root === undefined ? '' : `, which shadowed root ${formatHex(root)}`;
};
