import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { signatureOf } from '../../../properties/divergence.js';
import { writeTextFile } from '../../../properties/corpus/store.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../../properties/generators/index.js';
import { DEFAULT_START_TIMEOUT } from '../../../properties/subjects/subject-names.js';
import { commonScope, programsWithin, refuseNoProgram } from '../../campaign/campaign-scope.js';
import { trafficFor } from '../../campaign/new-plan.js';
import { buildCoverage } from '../../coverage/build-coverage.js';
import { COVERAGE_FILE, hasOwnCode, impossibleSituations } from '../../coverage/coverage-document.js';
import type { CodeCoverage } from '../../coverage/code/measure-code.js';
import { measureCode } from '../../coverage/code/measure-code.js';
import type { CoverageDocument } from '../../coverage/coverage-document.js';
import type { CoveragePlan, CoverageRun } from '../../coverage/coverage-run.js';
import { limitsOf, runForCoverage } from '../../coverage/coverage-run.js';
import { coverageReport } from '../../coverage/coverage-text.js';
import type { Caught } from '../../coverage/matrix-document.js';
import { MATRIX_FILE, readMatrix, readNamedMatrix } from '../../coverage/matrix-document.js';
import type { Thresholds } from '../../coverage/thresholds.js';
import { NO_THRESHOLDS, THRESHOLDS_FILE, readThresholds, shortfalls } from '../../coverage/thresholds.js';
import { canMeasureCode } from '../../own-package.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { counted, formatTime } from '../../terminal/numbers.js';
import { labelled } from '../../terminal/labelled.js';
import { printable } from '../../terminal/printable.js';
import { checkDirectory, makeResultDirectory } from '../../terminal/result-directory.js';
import type { Session } from '../../terminal/session.js';
import { shellWord } from '../../terminal/shell-words.js';
import { addHelp } from '../help.js';
import { campaignName } from '../options/campaign.js';
import { duration, wholeNumber } from '../options/option-values.js';
import type { TimeLimitFlags } from '../../terminal/sides.js';
import { DEFAULT_CASE_TIMEOUT, invariantsNamed, sidesOf } from '../../terminal/sides.js';
import { MOST_PROGRAMS } from '../../../properties/campaign/campaign-bounds.js';
import type { ProgramFlags } from '../options/program-options.js';
import { addProgramOptions, campaignTrafficOption } from '../options/program-options.js';
import { addNamedSides } from '../options/side-flags.js';

/** Milliseconds. Long enough to reach every situation. */
const DEFAULT_TIME = 120_000;

interface CoverageFlags extends Omit<ProgramFlags, 'traffic'>, TimeLimitFlags {
  readonly traffic?: ProgramFlags['traffic'];
  readonly subject?: string;
  readonly reference?: string;
  /** Milliseconds. */
  readonly time?: number;
  readonly programs?: number;
  readonly seed?: string;
  readonly invariant?: readonly string[];
  readonly out: string;
  /** Files. */
  readonly matrix?: string;
  readonly config: string;
  readonly code: boolean;
  readonly check?: true;
}

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('coverage')
    .description(
      'Measure what a run exercises: the checks and situations of each invariant, the code that ran, and the bugs caught.',
    )
    .option('--time <duration>', 'stop after this long (default: 120s)', duration)
    .option('--programs <count>', 'stop after this many programs, if that comes first', wholeNumber(0, MOST_PROGRAMS))
    .option('--seed <name>', 'seed of the campaign (default: a fresh one)', campaignName)
    .option('--invariant <id...>', 'only these (see: shadowdiff invariants)')
    .option('--out <directory>', `where ${COVERAGE_FILE} and code/ are written`, 'coverage')
    .option('--no-code', 'do not measure code')
    .option('--matrix <file>', 'kill matrix, as "defects matrix --json" prints it (default: matrix.json in --out)')
    .option('--check', 'fail if the run misses a threshold')
    .option('--config <file>', 'the thresholds', THRESHOLDS_FILE);
  addNamedSides(addProgramOptions(command, campaignTrafficOption()), {
    subject: 'impl',
    reference: 'model',
    profile: 'lguest',
  });
  addHelp(command, [
    ['shadowdiff coverage', 'everything, in two minutes'],
    ['shadowdiff coverage --programs 100000 --seed bars --check', 'reproducible; fails below the thresholds'],
    ['shadowdiff coverage --invariant flush --no-code', 'only the situations of one invariant'],
    ["shadowdiff coverage --subject 'exec:./my-machine'", 'what a machine of your own is tested for'],
  ]).action(async (flags: CoverageFlags) => {
    session.exitCode = await runCoverage(flags, session);
  });
};

const runCoverage = async (flags: CoverageFlags, session: Session): Promise<ExitCode> => {
  const thresholds = await thresholdsOf(flags);
  const matrix = await matrixOf(flags);
  await checkDirectory('--out', flags.out);
  const plan = await planOf(flags, session);
  await makeResultDirectory('--out', flags.out);
  session.print(`seed ${plan.campaign}   (repeat with --seed ${shellWord(plan.campaign)})`);
  const whyNoCode = flags.code ? whyCodeIsNotMeasured(plan) : undefined;
  if (whyNoCode !== undefined) session.print(labelled('code', `not measured: ${whyNoCode}`, session.width));
  const run = await runForCoverage(plan, session);
  const document = buildCoverage(plan, run, { matrix, code: await codeOf(plan, run, flags, thresholds, session) });
  await write(join(flags.out, COVERAGE_FILE), document);
  for (const line of coverageReport(document, session)) session.print(line);
  session.print();
  session.print(
    `${counted(document.programs, 'program')}, ${counted(document.steps, 'step')} in ${formatTime(run.milliseconds)}; ` +
      `written to ${flags.out}`,
  );
  const missed = flags.check === true ? shortfalls(document, thresholds) : [];
  return verdict(plan, run, { document, missed, fuzz: fuzzWords(plan, flags) }, session);
};

/** Starts the sides. */
const planOf = async (flags: CoverageFlags, session: Session): Promise<CoveragePlan> => {
  const { paging, maxSteps: mostSteps } = flags;
  const sides = sidesOf(flags, session, undefined);
  const wanted = { paging, traffic: trafficFor(flags) };
  const invariants = invariantsNamed(flags.invariant);
  const scope = await commonScope(sides);
  refuseNoProgram(wanted, scope);
  return {
    campaign: flags.seed ?? session.surroundings.freshSeed(),
    sides,
    scope,
    programs: { ...programsWithin(wanted, scope), mostSteps },
    invariants,
    limits: limitsOf(flags, DEFAULT_TIME),
  };
};

const whyCodeIsNotMeasured = ({ sides: { subject, model } }: CoveragePlan): string | undefined => {
  if (!hasOwnCode({ subject: subject.name, reference: model.name })) return 'that is for the code of impl and model';
  return canMeasureCode() ? undefined : 'that needs a clone of shadowdiff, built with npm run build';
};

/** The file must exist only for `--check`. */
const thresholdsOf = async ({ check, config }: CoverageFlags): Promise<Thresholds> =>
  check === true || existsSync(config) ? await readThresholds(config) : NO_THRESHOLDS;

/** A matrix named by `--matrix` must exist; the one in `--out` is optional. */
const matrixOf = ({ matrix, out }: CoverageFlags): Promise<readonly Caught[] | undefined> =>
  matrix === undefined ? readMatrix(join(out, MATRIX_FILE)) : readNamedMatrix(matrix);

/** Runs the selected programs again, unless the run was interrupted. */
const codeOf = async (
  plan: CoveragePlan,
  { result, watch, interrupted }: CoverageRun,
  flags: CoverageFlags,
  { explained: explanations }: Thresholds,
  session: Session,
): Promise<CodeCoverage | undefined> => {
  if (!flags.code || whyCodeIsNotMeasured(plan) !== undefined || interrupted || result.programs === 0) return undefined;
  session.print(labelled('code', 'measuring: programs of each invariant run again', session.width));
  const programs = new Map(plan.invariants.map(({ id }, index) => [id, watch.programs[index]]));
  return await measureCode({
    ...plan.programs,
    campaign: plan.campaign,
    programs,
    out: flags.out,
    explanations,
    session,
  });
};

const write = (path: string, document: CoverageDocument): Promise<void> =>
  writeTextFile(path, `${JSON.stringify(document, undefined, 1)}\n`, 'name another --out');

/** The options of fuzz for the same programs, each judged in full. */
const fuzzWords = ({ campaign, sides }: CoveragePlan, flags: CoverageFlags): readonly string[] => {
  const { paging, traffic, maxSteps, caseTimeout, startTimeout, invariant } = flags;
  const options: readonly (readonly [option: string, value: string | undefined, usual?: string])[] = [
    ['--seed', campaign],
    ['--subject', flags.subject],
    ['--reference', flags.reference],
    ['--profile', sides.profile, 'lguest'],
    ['--paging', paging, DEFAULT_PROGRAM_OPTIONS.paging],
    ['--traffic', traffic],
    ['--max-steps', String(maxSteps), String(DEFAULT_PROGRAM_OPTIONS.mostSteps)],
    ['--case-timeout', `${caseTimeout}ms`, `${DEFAULT_CASE_TIMEOUT}ms`],
    ['--start-timeout', `${startTimeout}ms`, `${DEFAULT_START_TIMEOUT}ms`],
  ];
  const words = options.flatMap(([option, value, usual]) =>
    value === undefined || value === usual ? [] : [option, value],
  );
  // A run of some invariants judges every program in full.
  return [...words, ...(invariant === undefined ? ['--judge', 'all'] : ['--invariant', ...invariant])];
};

interface Result {
  readonly document: CoverageDocument;
  readonly missed: readonly string[];
  readonly fuzz: readonly string[];
}

const verdict = (
  { sides }: CoveragePlan,
  { result, interrupted }: CoverageRun,
  { document, missed, fuzz }: Result,
  session: Session,
): ExitCode => {
  const { firstDiverged: first, diverged } = result;
  if (first !== undefined) {
    const { subject, model } = sides;
    const others = diverged === 1 ? '' : `, and in ${counted(diverged - 1, 'other')}`;
    const where = `${subject.name} diverged from ${model.name} in program ${first.program}${others}`;
    session.complain(`shadowdiff: ${printable(`${signatureOf(first.divergence)}; ${where}`)}`);
    session.complain(session.command('fuzz', ...fuzz, '--programs', String(first.program + 1)));
    return EXIT.divergence;
  }
  if (interrupted) return EXIT.interrupted;
  const impossible = impossibleSituations(document).length;
  for (const line of missed) session.complain(`shadowdiff: ${line}`);
  if (impossible > 0)
    session.complain(`shadowdiff: reached, though declared unreachable: ${counted(impossible, 'situation')}`);
  return missed.length + impossible > 0 ? EXIT.divergence : EXIT.clean;
};
