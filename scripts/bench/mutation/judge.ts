/**
 * `node judge.mjs PROGRAMS`: the judgement of one mutant, which an environment variable of Stryker's chooses. Exits with 1 if a
 * campaign of so many programs, always the same ones, has a finding.
 */

import { runBatch } from '../../../properties/campaign/batch.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../../properties/generators/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { IMPL, MODEL } from '../../../properties/subjects/subject-names.js';

const count = Number(process.argv[2]);

const { findings } = await runBatch(
  {
    ...DEFAULT_PROGRAM_OPTIONS,
    model: MODEL,
    subject: IMPL,
    invariants: INVARIANTS,
    campaign: 'mutation',
    date: '',
    version: '',
  },
  {
    range: { first: 0, stride: 1, count },
    skip: [],
    enough: {},
    limit: { kinds: 1, ignored: [] },
    unlimited: true,
  },
  () => undefined,
);
for (const { provenance, divergence } of findings)
  console.log(`program ${provenance.program}: ${divergence.invariant}, ${divergence.difference}`);
process.exitCode = findings.length === 0 ? 0 : 1;
