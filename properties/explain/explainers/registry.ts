/** Explains a violation, each kind by an explainer of its own. */

import type { ViolationKind } from '../../invariants/violation.js';
import type { Focus } from '../story.js';
import { formatHex } from '../../formats/index.js';
import { capitalized } from '../words.js';
import type { Evidence, Narrator, Told } from './evidence.js';
import {
  cacheNarrator,
  referenceNarrator,
  switcherPageNarrator,
  switcherReferencesNarrator,
  tableNarrator,
} from './of-accounts.js';
import {
  broadcastNarrator,
  confinementNarrator,
  flushNarrator,
  privilegeNarrator,
  stackNarrator,
} from './of-mappings.js';
import {
  answerNarrator,
  deadNarrator,
  hostBugNarrator,
  plainTold,
  repeatNarrator,
  storeNarrator,
  stuckNarrator,
} from './of-outcomes.js';

const NARRATORS: Readonly<Record<ViolationKind, Narrator>> = {
  'another-outcome': answerNarrator,
  'another-answer-again': repeatNarrator,
  stuck: stuckNarrator,
  'host-bug': hostBugNarrator,
  'alive-after-kill': deadNarrator,
  'changed-after-kill': deadNarrator,
  'foreign-page': confinementNarrator,
  'leaf-without-entry': privilegeNarrator,
  'leaf-to-another-page': privilegeNarrator,
  'leaf-writable': privilegeNarrator,
  'leaf-for-user': privilegeNarrator,
  'leaf-kept-in-a-slot': broadcastNarrator,
  'slots-disagree': broadcastNarrator,
  'stack-not-pinned': stackNarrator,
  'mappings-stayed': flushNarrator,
  'mappings-of-another-slot-went': flushNarrator,
  'other-mappings-went': flushNarrator,
  'root-in-two-slots': cacheNarrator,
  'wrong-slot-taken': cacheNarrator,
  'wrong-root-shadowed': cacheNarrator,
  'hit-changed-mappings': cacheNarrator,
  'switcher-references': switcherReferencesNarrator,
  'switcher-page': switcherPageNarrator,
  'page-references': referenceNarrator,
  'references-after-destroy': tableNarrator,
  'switcher-references-after-destroy': tableNarrator,
  'too-many-tables': tableNarrator,
  'too-few-tables': tableNarrator,
  'table-lost': tableNarrator,
  'table-used-after-free': tableNarrator,
  'table-linked-twice': tableNarrator,
  'wrong-store': storeNarrator,
  'accessed-or-dirty-missing': plainTold,
  'guest-ram': storeNarrator,
  other: plainTold,
};

export interface Sentence {
  readonly sentence: string;
  readonly focus: Focus;
}

export const sentenceOf = (evidence: Evidence): Sentence => {
  const narrator = NARRATORS[evidence.divergence.kind ?? 'other'];
  const { text, focus } = narrator(evidence) ?? plainTold(evidence);
  return { sentence: `${capitalized(text)}.`, focus: focusOf(focus) };
};

const focusOf = ({ step, vaddr, slot, page, paddr }: Told['focus']): Focus => ({
  ...(step === undefined ? {} : { step }),
  ...(vaddr === undefined ? {} : { vaddr: formatHex(vaddr) }),
  ...(slot === undefined ? {} : { slot }),
  ...(page === undefined ? {} : { page }),
  ...(paddr === undefined ? {} : { paddr: formatHex(paddr) }),
});
