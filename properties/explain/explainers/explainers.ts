/** The explainer of each kind of violation. */

import type { ViolationKind } from '../../invariants/invariant.js';
import type { Explanation } from '../explanation.js';
import { hexOf } from '../table-rows.js';
import { capitalized } from '../words.js';
import type { Evidence, Explainer } from './evidence.js';
import * as counts from './counts.js';
import * as leaves from './leaves.js';
import * as outcomes from './outcomes.js';

const EXPLAINERS: Readonly<Record<ViolationKind, Explainer>> = {
  'another-outcome': outcomes.explainOutcome,
  'answer-not-cached': outcomes.explainUncachedAnswer,
  'another-answer-again': outcomes.explainRepetition,
  stuck: outcomes.explainStuck,
  'host-bug': outcomes.explainHostBug,
  'alive-after-kill': outcomes.explainDead,
  'changed-after-kill': outcomes.explainDead,
  'foreign-page': leaves.explainForeignPage,
  'leaf-without-entry': leaves.explainLeafWithoutEntry,
  'leaf-to-another-page': leaves.explainWrongPage,
  'leaf-writable': leaves.explainWritableLeaf,
  'leaf-for-user': leaves.explainUserLeaf,
  'leaf-kept-in-a-slot': leaves.explainDisagreement,
  'slots-disagree': leaves.explainDisagreement,
  'stack-not-pinned': leaves.explainStack,
  'mappings-stayed': leaves.explainStayed,
  'mappings-of-another-slot-went': leaves.explainLossesOfOtherSlot,
  'other-mappings-went': leaves.explainOtherLosses,
  'root-in-two-slots': leaves.explainRootInTwoSlots,
  'wrong-slot-taken': leaves.explainWrongSlot,
  'wrong-root-shadowed': leaves.explainWrongRoot,
  'hit-changed-mappings': leaves.explainChangedHit,
  'switcher-references': counts.explainSwitcherReferences,
  'switcher-page': counts.explainSwitcherPage,
  'page-references': counts.explainReferences,
  'references-after-destroy': counts.explainHeldPage,
  'switcher-references-after-destroy': counts.explainHeldSwitcher,
  'too-many-tables': counts.explainTableCount,
  'too-few-tables': counts.explainTableCount,
  'tables-miscounted': counts.explainMiscountedTables,
  'table-lost': counts.explainLostTable,
  'table-used-after-free': counts.explainFreedTable,
  'table-linked-twice': counts.explainSharedTable,
  'wrong-store': outcomes.explainStore,
  'accessed-or-dirty-missing': outcomes.explainPlainly,
  'guest-ram': outcomes.explainRam,
  other: outcomes.explainPlainly,
};

/** Why the last moment is wrong, and what that is about. */
export const explainDivergence = (evidence: Evidence): Pick<Explanation, 'sentence' | 'focus'> => {
  const explainer = EXPLAINERS[evidence.divergence.kind ?? 'other'];
  const { text, focus } = explainer(evidence) ?? outcomes.explainPlainly(evidence);
  const { step, vaddr, slot, page, paddr } = focus;
  return { sentence: `${capitalized(text)}.`, focus: { step, vaddr: hexOf(vaddr), slot, page, paddr: hexOf(paddr) } };
};
