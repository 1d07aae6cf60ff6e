import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Ledger } from '../../../properties/campaign/ledger.js';
import { DEFAULT_POOL_SIZE, LARGEST_POOL_SIZE } from '../../../properties/pool/program-pool.js';
import { SUBJECT_NAMES } from '../../../properties/subjects/subject-names.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { checkDirectory, makeResultDirectory } from '../../terminal/result-directory.js';
import { ProgressDisplay } from '../../terminal/progress-display.js';
import { addHelp } from '../help.js';
import { EventLog, readLedger } from '../../campaign/event-log.js';
import { NightlyRun } from '../../campaign/nightly-run.js';
import { nightlyReport } from '../../campaign/nightly-report.js';
import { writePool } from '../../campaign/pool-file.js';
import { publish } from '../../campaign/publish.js';
import { EVENTS_FILE, RUN_FILE, WORKERS_FILE } from '../../campaign/run-files.js';
import type { NightlyFlags, RunPlan } from '../../campaign/run-plan.js';
import { runPlanOf, settingsOf } from '../../campaign/run-plan.js';
import { claimRunRecord, writeRunRecord } from '../../campaign/run-record.js';
import { campaignName } from '../options/campaign.js';
import { duration } from '../options/duration.js';
import { MOST_PROGRAMS, MOST_TRIES } from '../options/limits.js';
import { pagingOption } from '../options/paging.js';
import { FEWEST_STEPS, MOST_STEPS, trafficOption } from '../options/programs.js';
import { share } from '../options/share.js';
import { closeSides, sidesOf, startSides } from '../../terminal/sides.js';
import { wholeNumber } from '../options/whole-number.js';
import { labelled } from '../../terminal/labelled.js';
import { commandLineOf, shellWord } from '../../terminal/shell-words.js';
import { printable } from '../../terminal/printable.js';
import { progressLine } from '../../terminal/progress-line.js';
import type { Session } from '../../terminal/session.js';

const MOST_JOBS = 1024;

export const registerNightly = (program: Command, session: Session): void => {
  const command = program
    .command('nightly')
    .description('A whole campaign: replay the corpus, fuzz on all cores, shrink, keep and sum up what was found.')
    .option('--time <duration>', 'explore for so long (default: 10m)', duration)
    .option('--shrink-time <duration>', 'then shrink for at most so long (default: 5m)', duration)
    .option('--programs <count>', 'end after so many programs, if that comes first', wholeNumber(0, MOST_PROGRAMS))
    .option('--jobs <count>', 'workers (default: one for each core)', wholeNumber(1, MOST_JOBS))
    .option('--seed <name>', 'name of the campaign (default: a fresh one)', campaignName)
    .option('--shard <i/n>', 'run only the programs k with k mod n = i; auto asks the scheduler')
    .option('--resume <directory>', 'go on with a run that ended early')
    .addOption(pagingOption('paging of the guests (default: both)'))
    .addOption(trafficOption('guests that keep the contract or not (default: mixed)'))
    .option('--max-steps <count>', 'longest program (default: 160)', wholeNumber(FEWEST_STEPS, MOST_STEPS))
    .option('--max-tries <count>', 'candidates tried to shrink a finding', wholeNumber(0, MOST_TRIES))
    .option('--subject <name>', `who is tested: ${SUBJECT_NAMES} (default: impl)`)
    .option('--reference <name>', 'who is right (default: model)')
    .option('--case-timeout <duration>', 'what a subject may take for one program (default: 5s)', duration)
    .option(
      '--min-programs <count>',
      'fewer programs are inconclusive (default: 1000, or all of --programs)',
      wholeNumber(0, MOST_PROGRAMS),
    )
    .option(
      '--guided <share>',
      'make this share of the programs from the program pool of the corpus, 0 to 1 (default: 0)',
      share,
    )
    .option('--keep-programs', 'keep programs that reach new situations (default: with --guided)')
    .option(
      '--most-programs <count>',
      'keep at most this many programs (default: 200)',
      wholeNumber(0, LARGEST_POOL_SIZE),
    )
    .option('--corpus <directory>', 'replayed first, and where new counterexamples are kept (default: corpus)')
    .option('--known <file>', 'known findings: counted, and not a failure until they expire')
    .option('--out <directory>', 'where the results go (default: out/DATE-SEED)');
  addHelp(command, [
    ['shadowdiff nightly --time 1h', 'an hour of everything'],
    ['shadowdiff nightly --resume out/RUN', 'go on where a run was cut off'],
    ['shadowdiff nightly --seed tonight --shard 0/4', 'a quarter of a campaign; see: shadowdiff merge'],
  ]).action(async (flags: NightlyFlags) => {
    session.exitCode = await runNightly(flags, session);
  });
};

const runNightly = async (flags: NightlyFlags, session: Session): Promise<ExitCode> => {
  const plan = await runPlanOf(flags, session);
  await checkPlan(plan, session);
  await makeResultDirectory('--out', plan.directory);
  const record = join(plan.directory, RUN_FILE);
  await (plan.resumed ? writeRunRecord : claimRunRecord)(record, plan.record);
  if (!plan.resumed && plan.pool !== undefined) await writePool(plan.directory, plan.pool);
  const events = join(plan.directory, EVENTS_FILE);
  const log = new EventLog(events);
  const ledger = await readLedger(events, (problem) => session.complain(`shadowdiff: ${printable(problem)}`));
  const { seed } = plan.record.campaign;
  session.print(`seed ${seed}   (repeat with --seed ${shellWord(seed)})`);
  session.print(labelled('results', printable(plan.directory), session.width));
  const interrupted = await explore(plan, ledger, log, session);
  const { directory, record: run, known } = plan;
  const keepIn = run.campaign.shards === 1 ? plan.part.corpus : undefined;
  const options = {
    directory,
    record: run,
    known,
    keepIn,
    interrupted,
    mostPrograms: flags.mostPrograms ?? DEFAULT_POOL_SIZE,
  };
  const publication = await publish(ledger, options, session);
  session.print();
  for (const line of nightlyReport(publication, { ledger, record: run, directory }, session)) session.print(line);
  if (interrupted) session.print(commandLineOf(['shadowdiff', 'nightly', '--resume', directory]));
  return publication.summary.exitCode;
};

/** What cannot work is told before anything is written. */
const checkPlan = async ({ directory, part, record }: RunPlan, session: Session): Promise<void> => {
  const settings = settingsOf(record.campaign, directory);
  const sides = sidesOf(settings, session, undefined);
  // One shard of several only reads the corpus, which may lie in a read-only image.
  if (record.campaign.shards === 1) await checkDirectory('--corpus', part.corpus);
  await checkDirectory('--out', directory);
  try {
    await startSides(sides);
  } finally {
    await closeSides(sides);
  }
};

/** Answers whether somebody interrupted it. */
const explore = async (plan: RunPlan, ledger: Ledger, log: EventLog, session: Session): Promise<boolean> => {
  const { surroundings } = session;
  const lastWords = join(plan.directory, WORKERS_FILE);
  const crew = await surroundings.crew({ jobs: plan.part.jobs, log: lastWords });
  const run = new NightlyRun(plan, ledger, { session, log, crew });
  const display = new ProgressDisplay(session, (columns) => progressLine(run.progress(), columns));
  const unsubscribe = surroundings.onInterrupt(() => run.interrupt());
  try {
    await run.go();
    return run.interrupted;
  } finally {
    unsubscribe();
    display.end();
    await crew.end();
    log.close();
    await removeIfEmpty(lastWords);
  }
};

const removeIfEmpty = async (path: string): Promise<void> => {
  const there = await stat(path).catch(() => undefined);
  if (there?.size === 0) await rm(path);
};
