/** Notes in the corpus how short a counterexample can be, and puts a shorter one in the place of a longer one. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { keepsContract } from '../../../properties/contract.js';
import type { Finding, Shortest } from '../../../properties/finding.js';
import { fileNameOf } from '../../../properties/corpus/counterexample.js';
import { saveFinding } from '../../../properties/corpus/store.js';
import { signatureOf } from '../../../properties/divergence.js';
import type { Counterexample } from '../../../properties/exhaust/explore.js';
import type { Search } from '../../../properties/exhaust/shortest.js';

/** `kept`: the entry, or a program of another small machine, is shorter than any of this one; or it is not for comparison. */
export type Recorded = 'noted' | 'replaced by a shorter one' | 'kept';

export const record = async (corpus: string, entry: Finding, search: Search): Promise<Recorded> => {
  if (search.kind !== 'found' || search.folding === undefined || !search.found.shortest) return 'kept';
  const { found, folding } = search;
  const steps = found.program.steps.length;
  if (steps > entry.case.program.steps.length) return 'kept';
  const known = entry.provenance.shortest;
  if (known !== undefined && known.machine !== search.machine && known.steps <= steps) return 'kept';
  const noted = withShortest(entry, { machine: search.machine, steps, folding });
  if (!mayReplace(entry, found)) {
    await saveFinding(corpus, noted);
    return 'noted';
  }
  await saveFinding(corpus, {
    ...noted,
    case: { ...entry.case, program: found.program },
    divergence: found.divergence,
  });
  await rm(join(corpus, fileNameOf(entry)));
  return 'replaced by a shorter one';
};

const withShortest = (entry: Finding, shortest: Shortest): Finding => ({
  ...entry,
  provenance: { ...entry.provenance, shortest },
});

/** It is shorter, says the same, and its guest is no worse. */
const mayReplace = ({ case: { program, traffic }, divergence }: Finding, found: Counterexample): boolean =>
  found.program.steps.length < program.steps.length &&
  signatureOf(found.divergence) === signatureOf(divergence) &&
  (traffic === 'hostile' || keepsContract(found.program));
