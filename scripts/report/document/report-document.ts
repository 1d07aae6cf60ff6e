/**
 * The results of any number of runs in one document. `report --reporter json` prints it; every other reporter is a form of it.
 * The descriptions here appear in the published JSON Schema (`report --schema`).
 */

import * as z from 'zod';
import { STATUSES, TRIAGES } from '../../../properties/finding.js';
import type { Immutable } from '../../../properties/formats/fields.js';
import { PROGRAM_FORMAT } from '../../../properties/formats/index.js';
import { TRAFFICS } from '../../../properties/generators/index.js';
import { EXTENTS } from '../../../properties/invariants/asking.js';
import { FEATURES } from '../../../model/vocabulary/index.js';
import { PROFILES } from '../../../properties/profile.js';

export const REPORT_FORMAT = 'shadowdiff-report/5';

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();
const share = z.strictObject({ covered: count, total: count });
const codeShare = z.strictObject({ lines: share, branches: share, functions: share });

const verdict = z.strictObject({
  kind: z
    .enum(['divergence', 'unsaved', 'clean', 'inconclusive', 'interrupted'])
    .describe(
      'divergence: something was found, or the corpus failed its replay; unsaved: a finding could not be stored; clean: nothing was found; inconclusive: too little was tested; interrupted: every run was cut short',
    ),
  reason: z.string().describe('One line, without a full stop'),
});

const judged = count.describe('Programs that the invariants judged in full; the others were screened');

const run = z.strictObject({
  source: z.string().describe('The file that describes it'),
  command: z.enum(['fuzz', 'nightly', 'coverage']),
  seed: z.string(),
  subject: z.string(),
  reference: z.string(),
  profile: z.exactOptional(z.enum(PROFILES).describe('Left out for lguest')),
  features: z.exactOptional(z.array(z.enum(FEATURES)).describe('What the CPUs of its programs could have')),
  paging: z.string(),
  traffic: z.string(),
  programs: count,
  judged,
  steps: count,
  started: z.string().describe('ISO 8601, UTC'),
  milliseconds,
  verdict: z.string().describe('Of this run alone; "done" or "diverged" for coverage'),
});

const cache = z.strictObject({ hits: count, misses: count });

const counters = z.strictObject({
  programs: count,
  diedEarly: count.describe('Programs that died within ten steps'),
  accesses: z.strictObject({ total: count, mapped: count, fault: count, mmio: count, killed: count, broken: count }),
  shadow: cache.describe('Hits and misses of mapped accesses'),
  pgdirCache: cache,
});

const canary = z.strictObject({ defect: z.string(), caught: z.boolean(), programs: count });

const corpusEntry = z.strictObject({
  file: z.string(),
  signature: z.exactOptional(z.string()).describe('As recorded, if the file could be read'),
  reason: z.string(),
  command: z.string().describe('The command line to look into it'),
});

const corpus = z.strictObject({
  replayed: count,
  open: z.array(corpusEntry).describe('The subject still diverges on them, as recorded'),
  fixed: z.array(corpusEntry).describe('Open ones that no longer diverge'),
  broken: z.array(corpusEntry).describe('They diverge and should not, or no longer show their planted bug'),
  unreadable: z.array(corpusEntry),
  notRun: z.array(corpusEntry).describe('They name a command, which was not run without --allow-exec'),
  unsupported: z.array(corpusEntry).describe('Their programs need what a side does not support, so they were not run'),
});

const situation = z.strictObject({
  values: z.array(z.string()).describe('A value of each axis'),
  count: count.describe('Checks whose premise held in this situation'),
  unreachable: z.exactOptional(z.string()).describe('Why no program can reach it'),
});

const grid = z.strictObject({
  name: z.string(),
  axes: z.array(z.strictObject({ name: z.string(), values: z.array(z.string()) })),
  situations: z.array(situation).describe('The whole product of the axes, the last one running fastest'),
});

const situations = z.strictObject({
  grids: z.array(grid),
  reached: count,
  reachable: count,
});

/** The worst first. */
export const STATES = ['broken', 'unexercised', 'gaps', 'held', 'not-asked'] as const;

const invariant = z.strictObject({
  id: z.string(),
  statement: z.string(),
  state: z
    .enum(STATES)
    .describe(
      'broken: a finding names it; unexercised: its premise never held; gaps: it held, but some reachable situations were not reached; held: it held in all of them; not-asked: no run could check it',
    ),
  asked: z
    .enum(EXTENTS)
    .describe('fully; partly: by some of what it looks at, because a side does not show the rest; not'),
  because: z.array(z.string()).describe('Why it was not asked, or only partly'),
  checks: count,
  exercised: count.describe('Checks whose premise held'),
  edges: z
    .exactOptional(count)
    .describe(
      'Edges of the subject’s own code that programs reached in which its premise held, in the run that reached most',
    ),
  findings: count.describe('New findings that name it'),
  situations: situations.optional(),
  code: z
    .strictObject({ lines: share, branches: share })
    .optional()
    .describe('Code of impl that ran while it was exercised, in the run that reached most'),
  defects: z
    .strictObject({ alone: z.array(z.string()), withOthers: z.array(z.string()) })
    .optional()
    .describe('Planted bugs that it catches'),
});

const matrixRow = z.strictObject({
  defect: z.string(),
  seeds: count,
  seedsCaught: count,
  caughtBy: z.record(z.string(), count).describe('Seeds in which each invariant caught it by itself'),
});

const finding = z.strictObject({
  id: z.string().describe('finding-1, finding-2, …: its anchor in the HTML report'),
  signature: z.string(),
  invariant: z.string(),
  status: z
    .enum(TRIAGES)
    .describe('new; recorded: open in the corpus; flaky: it does not always show; tolerated: in the file of --known'),
  shown: z
    .exactOptional(z.strictObject({ times: count, runs: count }))
    .describe('In how many of so many runs it showed again'),
  programsBefore: z.exactOptional(count).describe('Programs that the same process must run first'),
  steps: count.describe('Of the smallest program that shows it'),
  impact: z.enum(['host', 'guest']).describe('What it can harm: the host and all its guests, or only the guest itself'),
  count: count.describe('Programs that showed it; of a namesake, those that were looked at'),
  namesake: z
    .exactOptional(z.string())
    .describe(
      'Kinds of steps in its program, if that of another finding with this signature needs others: perhaps another bug',
    ),
  file: z.string().optional().describe('The stored counterexample; left out if it could not be stored'),
  replay: z.string().describe('The command line that replays it'),
  counterexample: z
    .strictObject({
      status: z.enum(STATUSES),
      subject: z.string(),
      reference: z.string(),
      traffic: z.enum(TRAFFICS),
      place: z.string().describe('step N, create, end or destroy'),
      field: z.string(),
      expected: z.string(),
      actual: z.string(),
      alsoBroken: z.array(z.string()),
      originalSteps: count,
      note: z.string(),
      listing: z.array(z.string()).describe('The machine, then the steps, as text'),
      program: z.looseObject({ format: z.literal(PROGRAM_FORMAT) }).describe('model/formats.md, Program'),
    })
    .optional(),
});

const known = z.strictObject({
  signature: z.string(),
  counterexample: z.exactOptional(z.string()).describe('File of a program that shows it'),
  reason: z.string(),
  owner: z.string(),
  expires: z.string(),
  expired: z.boolean(),
  count,
});

const timeline = z.strictObject({
  source: z.string(),
  milestones: z.array(
    z.strictObject({ milliseconds, programs: count, steps: count, situations: count, findings: count }),
  ),
});

const mutationScore = z.strictObject({
  machine: z.string(),
  version: z.string().describe('Of shadowdiff, when it was measured'),
  date: z.string().describe('ISO 8601: when it was measured'),
  programs: count.describe('How many were run to find a mutation, at most'),
  mutations: count.describe('Changes in one place of the machine'),
  found: count,
  equivalent: count.describe('Not found: they change nothing that a program could show'),
  guards: count.describe('Not found: they weaken what notices bugs of the machine itself'),
  missed: count.describe('Not found: some other program would show them'),
});

const estimate = z.strictObject({
  value: z.number().nonnegative(),
  low: z.number().nonnegative(),
  high: z.number().nonnegative().describe('The interval from low to high has a confidence of 95 %'),
});

const prospect = z.strictObject({
  reached: count.describe('Situations that judged programs reached'),
  once: count.describe('By exactly one of them'),
  twice: count.describe('By exactly two of them'),
  left: count.describe('Situations that no program reached, and that are not known to be unreachable'),
  newPerProgram: estimate.describe(
    'New situations that the next judged program reaches, on average: at most so large is the probability of any (Good and Turing)',
  ),
  unseen: estimate.describe('Situations left that programs like these can reach (Chao2)'),
  again: estimate.describe('New situations that as many programs again would reach'),
  next: z
    .strictObject({ programs: count, milliseconds })
    .nullable()
    .describe('Until the next new situation, on average; null if none is expected'),
});

const edges = z
  .strictObject({
    subject: z.string(),
    total: count,
    last: count.nullable().describe('Number of the program that was the last to reach a new one'),
    ...prospect.shape,
  })
  .describe('As of situations, but of all programs: edges are known of screened ones too');

const residualRisk = z.strictObject({
  source: z.string().describe('The file that describes the run'),
  judged,
  neverSeen: z
    .number()
    .describe(
      'A signature that the run never showed is in less than this share of all programs, with a confidence of 95 %: 3 divided by the programs judged',
    ),
  situations: prospect,
  discovery: z
    .array(z.strictObject({ programs: count, situations: count }))
    .describe('How many situations the first so many programs reached; the last point is the end of the run'),
  forecast: z
    .array(z.strictObject({ programs: count, situations: estimate }))
    .describe('How many so many programs would have reached, from the end of the run to twice as many programs'),
  invariants: z.array(z.strictObject({ id: z.string(), situations: prospect })).describe('Those that were asked'),
});

const reportDocument = z
  .strictObject({
    format: z.literal(REPORT_FORMAT),
    version: z.string().describe('Of shadowdiff'),
    verdict,
    programs: count,
    judged,
    steps: count,
    milliseconds: milliseconds.describe('Summed over the runs'),
    runs: z.array(run),
    invariants: z.array(invariant).describe('Those with problems first'),
    matrix: z.array(matrixRow).describe('Planted bugs and the invariants that catch them; empty if not measured'),
    counters: counters.optional().describe('Summed over the runs of fuzz and nightly'),
    edges: z.array(edges).describe('Of subjects that count edges of their own code: one for each run'),
    residualRisks: z
      .array(residualRisk)
      .describe(
        'How much is left to find, one for each run: the estimators of species richness, as in STADS (Böhme 2018)',
      ),
    findings: z.array(finding),
    known: z.array(known),
    notLookedAt: z
      .array(z.strictObject({ signature: z.string(), count }))
      .optional()
      .describe('Further findings of a signature, for which there was no time: perhaps other bugs'),
    canaries: z.array(canary).describe('Planted bugs that nightly runs must find'),
    corpus: corpus.optional().describe('The replay of the corpus by nightly runs'),
    retries: count.describe('Workers that failed or were killed from outside, and whose tasks were tried again'),
    troubles: z.array(z.string()).describe('What could not be saved'),
    doubts: z.array(z.string()).describe('Why runs prove little, even if they found something'),
    timelines: z.array(timeline),
    code: z
      .strictObject({
        impl: codeShare,
        model: codeShare,
        unreached: z.array(z.strictObject({ file: z.string(), line: count, text: z.string() })),
      })
      .optional()
      .describe('Code that ran, in the run that reached most, and the lines that no run reached'),
    mutations: z
      .array(mutationScore)
      .describe(
        'How many changes of the machines that were run the default traffic finds: measured earlier, by `npm run mutation`',
      ),
  })
  .meta({ title: REPORT_FORMAT, description: 'The results of runs of shadowdiff, united' });

export type ReportDocument = Immutable<z.infer<typeof reportDocument>>;
export type CorpusReport = NonNullable<ReportDocument['corpus']>;
export type RunReport = ReportDocument['runs'][number];
export type InvariantReport = ReportDocument['invariants'][number];
export type InvariantState = InvariantReport['state'];
export type SituationReport = NonNullable<InvariantReport['situations']>;
export type MatrixRowReport = ReportDocument['matrix'][number];
export type FindingReport = ReportDocument['findings'][number];
export type TimelineReport = ReportDocument['timelines'][number];
export type CodeReport = NonNullable<ReportDocument['code']>;
export type EdgesReport = ReportDocument['edges'][number];
export type ResidualRisk = ReportDocument['residualRisks'][number];
export type Prospect = ResidualRisk['situations'];
export type MutationScore = ReportDocument['mutations'][number];
export type ReportVerdict = ReportDocument['verdict'];

/** What `npm run mutation` measured last, in the package's directory. */
export const MUTATION_SCORES = 'scripts/report/mutation-scores.json';
export const mutationScores = z.array(mutationScore);

/** JSON Schema, draft 2020-12. */
export const reportSchema = (): unknown => z.toJSONSchema(reportDocument);
