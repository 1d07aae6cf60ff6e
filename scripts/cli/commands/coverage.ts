import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { signatureOf } from '../../../properties/divergence.js';
import { writeTextFile } from '../../../properties/corpus/store.js';
import { buildCoverage } from '../../coverage/build-coverage.js';
import { impossibleSituations, COVERAGE_FILE } from '../../coverage/coverage-document.js';
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
import { checkDirectory, makeResultDirectory } from '../../terminal/result-directory.js';
import type { Session } from '../../terminal/session.js';
import { shellWord } from '../../terminal/shell-words.js';
import { addHelp } from '../help.js';
import { campaignName } from '../options/campaign.js';
import { duration, wholeNumber } from '../options/option-values.js';
import { invariantsNamed } from '../../terminal/sides.js';
import { MOST_PROGRAMS } from '../../../properties/campaign/campaign-bounds.js';
import type { ProgramFlags } from '../options/program-options.js';
import { addProgramOptions, programOptionsOf } from '../options/program-options.js';

/** Milliseconds. Long enough to reach every situation. */
const DEFAULT_TIME = 120_000;

interface CoverageFlags extends ProgramFlags {
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

export const registerCoverage = (program: Command, session: Session): void => {
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
  addProgramOptions(command);
  addHelp(command, [
    ['shadowdiff coverage', 'everything, in two minutes'],
    ['shadowdiff coverage --programs 100000 --seed bars --check', 'reproducible; fails below the thresholds'],
    ['shadowdiff coverage --invariant flush --no-code', 'only the situations of one invariant'],
  ]).action(async (flags: CoverageFlags) => {
    session.exitCode = await runCoverage(flags, session);
  });
};

const runCoverage = async (flags: CoverageFlags, session: Session): Promise<ExitCode> => {
  const plan = planOf(flags, session);
  const thresholds = await thresholdsOf(flags);
  const matrix = await matrixOf(flags);
  await checkDirectory('--out', flags.out);
  await makeResultDirectory('--out', flags.out);
  session.print(`seed ${plan.campaign}   (repeat with --seed ${shellWord(plan.campaign)})`);
  if (flags.code && !canMeasureCode()) {
    session.print('code     not measured: that needs a clone of shadowdiff, built with npm run build');
  }
  const run = await runForCoverage(plan, session);
  const document = buildCoverage(plan, run, { matrix, code: await codeOf(plan, run, flags, thresholds, session) });
  await write(join(flags.out, COVERAGE_FILE), document);
  for (const line of coverageReport(document, session)) session.print(line);
  session.print();
  session.print(
    `${counted(document.programs, 'program')}, ${counted(document.steps, 'step')} in ${formatTime(run.milliseconds)}; ` +
      `written to ${flags.out}`,
  );
  return verdict(plan, run, document, flags.check === true ? shortfalls(document, thresholds) : [], session);
};

const planOf = (flags: CoverageFlags, session: Session): CoveragePlan => {
  return {
    campaign: flags.seed ?? session.surroundings.freshSeed(),
    programs: programOptionsOf(flags),
    invariants: invariantsNamed(flags.invariant),
    limits: limitsOf(flags, DEFAULT_TIME),
  };
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
  if (!flags.code || !canMeasureCode() || interrupted || result.programs === 0) return undefined;
  const programs = new Map(plan.invariants.map(({ id }, index) => [id, watch.programs[index]]));
  return await measureCode({
    ...plan.programs,
    campaign: plan.campaign,
    programs,
    out: flags.out,
    explanations,
    onInterrupt: (listener) => session.surroundings.onInterrupt(listener),
  });
};

const write = (path: string, document: CoverageDocument): Promise<void> =>
  writeTextFile(path, `${JSON.stringify(document, undefined, 1)}\n`, 'name another --out');

const verdict = (
  { campaign }: CoveragePlan,
  { result, interrupted }: CoverageRun,
  document: CoverageDocument,
  missed: readonly string[],
  session: Session,
): ExitCode => {
  const { programs, divergence } = result;
  if (divergence !== undefined) {
    session.complain(`shadowdiff: ${signatureOf(divergence)}; impl diverged from the model in program ${programs - 1}`);
    session.complain(session.command('fuzz', '--seed', campaign, '--programs', String(programs)));
    return EXIT.divergence;
  }
  if (interrupted) return EXIT.interrupted;
  const impossible = impossibleSituations(document.invariants).length;
  for (const line of missed) session.complain(`shadowdiff: ${line}`);
  if (impossible > 0)
    session.complain(`shadowdiff: reached, though declared unreachable: ${counted(impossible, 'situation')}`);
  return missed.length + impossible > 0 ? EXIT.divergence : EXIT.clean;
};
