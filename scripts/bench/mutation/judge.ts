/**
 * `node judge.mjs MACHINE PROGRAMS`: the judgement of one mutant, which an environment variable of Stryker's chooses. Exits with 1 if a
 * campaign of so many programs, always the same ones, has a finding.
 */

import { runBatch } from '../../../properties/campaign/batch.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../../properties/generators/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { IMPL, MODEL, WALK } from '../../../properties/subjects/subject-names.js';

const [machine, programs] = process.argv.slice(2);

const sides =
  machine === 'walk'
    ? ({ model: WALK, subject: IMPL, profile: 'architecture' } as const)
    : { model: MODEL, subject: IMPL };

const { findings } = await runBatch(
  { ...DEFAULT_PROGRAM_OPTIONS, ...sides, invariants: INVARIANTS, campaign: 'mutation', date: '', version: '' },
  {
    range: { first: 0, stride: 1, count: Number(programs) },
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
