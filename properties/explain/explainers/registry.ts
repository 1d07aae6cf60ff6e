/** Who tells of which invariant. A new invariant is told plainly until it has a line here. */

import type { Focus } from '../story.js';
import { formatHex } from '../../formats/index.js';
import { capitalized } from '../words.js';
import type { Evidence, Narrator, Told } from './evidence.js';
import { cacheNarrator, referenceNarrator, switcherNarrator, tableNarrator } from './of-accounts.js';
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

const NARRATORS: Readonly<Record<string, Narrator>> = {
  'host-intact': hostBugNarrator,
  progress: stuckNarrator,
  confinement: confinementNarrator,
  'least-privilege': privilegeNarrator,
  switcher: switcherNarrator,
  'stack-pinned': stackNarrator,
  'kernel-broadcast': broadcastNarrator,
  'pgdir-cache': cacheNarrator,
  flush: flushNarrator,
  'table-accounting': tableNarrator,
  teardown: tableNarrator,
  'death-is-final': deadNarrator,
  'accessed-dirty': storeNarrator,
  coherence: answerNarrator,
  'reference-count': referenceNarrator,
  'kill-decision': answerNarrator,
  translation: answerNarrator,
  determinism: repeatNarrator,
};

export interface Sentence {
  readonly sentence: string;
  readonly focus: Focus;
}

export const sentenceOf = (evidence: Evidence): Sentence => {
  const narrator = NARRATORS[evidence.divergence.invariant];
  const { text, focus } = narrator?.(evidence) ?? plainTold(evidence);
  return { sentence: `${capitalized(text)}.`, focus: focusOf(focus) };
};

const focusOf = ({ step, vaddr, slot, page, paddr }: Told['focus']): Focus => ({
  ...(step === undefined ? {} : { step }),
  ...(vaddr === undefined ? {} : { vaddr: formatHex(vaddr) }),
  ...(slot === undefined ? {} : { slot }),
  ...(page === undefined ? {} : { page }),
  ...(paddr === undefined ? {} : { paddr: formatHex(paddr) }),
});
