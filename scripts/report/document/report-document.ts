/**
 * The results of any number of runs in one document: what `report --reporter json` prints and every other reporter shows. Its
 * descriptions are those of the published JSON Schema (`report --schema`).
 */

import * as z from 'zod';
import { PROGRAM_FORMAT } from '../../../properties/formats/index.js';
import { TRAFFICS } from '../../../properties/generators/index.js';
import { STATUSES } from '../../../properties/finding.js';
import type { Immutable } from '../../../properties/formats/fields.js';

export const REPORT_FORMAT = 'shadowdiff-report/1';

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();
const share = z.strictObject({ covered: count, total: count });
const codeShare = z.strictObject({ lines: share, branches: share, functions: share });

const worry = z.strictObject({
  level: z
    .enum(['worry', 'no', 'cannot-tell'])
    .describe(
      'worry: something was found, or the corpus failed its replay; no: all was looked at and nothing found; cannot-tell: too little was tested',
    ),
  sentence: z.string().describe('One line that says why'),
});

const run = z.strictObject({
  source: z.string().describe('The file that tells of it'),
  command: z.enum(['fuzz', 'coverage']),
  seed: z.string(),
  subject: z.string(),
  reference: z.string(),
  paging: z.string(),
  traffic: z.string(),
  programs: count,
  steps: count,
  started: z.string().describe('ISO 8601, UTC'),
  milliseconds,
  ending: z.string().describe('The verdict of a fuzz run; "done" for coverage'),
});

const bucket = z.strictObject({
  values: z.array(z.string()).describe('A value of each axis'),
  count: count.describe('Checks whose premise held in this situation'),
  unreachable: z.string().optional().describe('Why no program can reach it'),
});

const grid = z.strictObject({
  name: z.string(),
  axes: z.array(z.strictObject({ name: z.string(), values: z.array(z.string()) })),
  buckets: z.array(bucket).describe('The whole product of the axes, the last one running fastest'),
});

const situations = z.strictObject({
  grids: z.array(grid),
  reached: count,
  reachable: count,
});

/** In the order of trouble. */
export const STATES = ['broken', 'idle', 'gaps', 'fine', 'not-applicable'] as const;

const invariant = z.strictObject({
  id: z.string(),
  statement: z.string(),
  state: z
    .enum(STATES)
    .describe(
      'broken: findings are named after it; idle: never exercised; gaps: situations that can be reached were not; not-applicable: no run could have exercised it',
    ),
  checks: count,
  exercised: count.describe('Checks whose premise held'),
  findings: count.describe('New findings that are named after it'),
  situations: situations.optional(),
  code: z
    .strictObject({ lines: share, branches: share })
    .optional()
    .describe('Code of impl that ran while it was exercised, in the best run'),
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
  harms: z.enum(['host', 'guest']).describe('Who may be worse off: the host and with it everybody, or the guest alone'),
  count: count.describe('Programs that showed it'),
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
      listing: z.array(z.string()).describe('The machine, then the steps, for the eye'),
      program: z.looseObject({ format: z.literal(PROGRAM_FORMAT) }).describe('model/formats.md, Program'),
    })
    .optional(),
});

const known = z.strictObject({
  signature: z.string(),
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

const reportDocument = z
  .strictObject({
    format: z.literal(REPORT_FORMAT),
    version: z.string().describe('Of shadowdiff'),
    worry,
    programs: count,
    steps: count,
    milliseconds: milliseconds.describe('Summed over the runs'),
    runs: z.array(run),
    invariants: z.array(invariant).describe('Those with trouble first'),
    matrix: z.array(matrixRow).describe('Planted bugs, and who catches them; empty if not measured'),
    findings: z.array(finding),
    known: z.array(known),
    timelines: z.array(timeline),
    code: z
      .strictObject({
        impl: codeShare,
        model: codeShare,
        unreached: z.array(z.strictObject({ file: z.string(), line: count, text: z.string() })),
      })
      .optional()
      .describe('Code that ran, in the run that reached most; the lines that none of the runs reached'),
  })
  .meta({ title: REPORT_FORMAT, description: 'The results of runs of shadowdiff, united' });

export type ReportDocument = Immutable<z.infer<typeof reportDocument>>;
export type RunReport = ReportDocument['runs'][number];
export type InvariantReport = ReportDocument['invariants'][number];
export type InvariantState = InvariantReport['state'];
export type GridReport = SituationReport['grids'][number];
export type SituationReport = NonNullable<InvariantReport['situations']>;
export type BucketReport = GridReport['buckets'][number];
export type MatrixRowReport = ReportDocument['matrix'][number];
export type FindingReport = ReportDocument['findings'][number];
export type TimelineReport = ReportDocument['timelines'][number];
export type CodeReport = NonNullable<ReportDocument['code']>;
export type Worry = ReportDocument['worry'];

/** JSON Schema, draft 2020-12. */
export const reportSchema = (): unknown => z.toJSONSchema(reportDocument);
