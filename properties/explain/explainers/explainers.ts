/** Explains a violation, each kind by an explainer of its own. */

import type { ViolationKind } from '../../invariants/violation.js';
import type { Explanation, Focus } from '../explanation.js';
import { formatHex } from '../../formats/index.js';
import { capitalized } from '../words.js';
import type { Evidence, Explainer, Sentence } from './evidence.js';
import {
  explainCache,
  explainReferences,
  explainSwitcherPage,
  explainSwitcherReferences,
  explainTables,
} from './counts.js';
import { explainDisagreement, explainForeignPage, explainFlush, explainExcess, explainStack } from './leaves.js';
import {
  explainOutcome,
  explainDead,
  explainHostBug,
  explainPlainly,
  explainRepetition,
  explainStore,
  explainStuck,
} from './outcomes.js';

const EXPLAINERS: Readonly<Record<ViolationKind, Explainer>> = {
  'another-outcome': explainOutcome,
  'another-answer-again': explainRepetition,
  stuck: explainStuck,
  'host-bug': explainHostBug,
  'alive-after-kill': explainDead,
  'changed-after-kill': explainDead,
  'foreign-page': explainForeignPage,
  'leaf-without-entry': explainExcess,
  'leaf-to-another-page': explainExcess,
  'leaf-writable': explainExcess,
  'leaf-for-user': explainExcess,
  'leaf-kept-in-a-slot': explainDisagreement,
  'slots-disagree': explainDisagreement,
  'stack-not-pinned': explainStack,
  'mappings-stayed': explainFlush,
  'mappings-of-another-slot-went': explainFlush,
  'other-mappings-went': explainFlush,
  'root-in-two-slots': explainCache,
  'wrong-slot-taken': explainCache,
  'wrong-root-shadowed': explainCache,
  'hit-changed-mappings': explainCache,
  'switcher-references': explainSwitcherReferences,
  'switcher-page': explainSwitcherPage,
  'page-references': explainReferences,
  'references-after-destroy': explainTables,
  'switcher-references-after-destroy': explainTables,
  'too-many-tables': explainTables,
  'too-few-tables': explainTables,
  'table-lost': explainTables,
  'table-used-after-free': explainTables,
  'table-linked-twice': explainTables,
  'wrong-store': explainStore,
  'accessed-or-dirty-missing': explainPlainly,
  'guest-ram': explainStore,
  other: explainPlainly,
};

/** Why the last moment is wrong, and what that is about. */
export const explainDivergence = (evidence: Evidence): Pick<Explanation, 'sentence' | 'focus'> => {
  const explainer = EXPLAINERS[evidence.divergence.kind ?? 'other'];
  const { text, focus } = explainer(evidence) ?? explainPlainly(evidence);
  return { sentence: `${capitalized(text)}.`, focus: focusOf(focus) };
};

const focusOf = ({ step, vaddr, slot, page, paddr }: Sentence['focus']): Focus => ({
  ...(step === undefined ? {} : { step }),
  ...(vaddr === undefined ? {} : { vaddr: formatHex(vaddr) }),
  ...(slot === undefined ? {} : { slot }),
  ...(page === undefined ? {} : { page }),
  ...(paddr === undefined ? {} : { paddr: formatHex(paddr) }),
});
