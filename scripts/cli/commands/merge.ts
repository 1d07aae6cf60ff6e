import { join } from 'node:path';
import type { Command } from 'commander';
import { BadInput } from '../../../properties/formats/index.js';
import { DEFAULT_POOL_SIZE, LARGEST_POOL_SIZE } from '../../../properties/pool/program-pool.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { checkDirectory, makeResultDirectory } from '../../terminal/result-directory.js';
import { readKnown } from '../../campaign/known.js';
import { addHelp } from '../help.js';
import type { StoredRun } from '../../campaign/merge.js';
import { mergeRuns, readRun, writeMergedEvents } from '../../campaign/merge.js';
import { nightlyReport } from '../../campaign/nightly-report.js';
import { readPool, writePool } from '../../campaign/pool-file.js';
import { publish } from '../../campaign/publish.js';
import { RUN_FILE } from '../../campaign/run-files.js';
import { readRunRecord, writeRunRecord } from '../../campaign/run-record.js';
import { wholeNumber } from '../options/whole-number.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';

interface MergeFlags {
  readonly out: string;
  readonly corpus?: string;
  readonly known?: string;
  readonly mostPrograms: number;
}

export const registerMerge = (program: Command, session: Session): void => {
  const command = program
    .command('merge')
    .description('Make one run of the shards of a campaign, in any order; what is given twice counts once.')
    .argument('<directory...>', 'runs of shadowdiff nightly, or merged ones')
    .requiredOption('--out <directory>', 'where the merged run goes')
    .option('--corpus <directory>', 'also keep new counterexamples here (default: only in --out)')
    .option(
      '--most-programs <count>',
      'keep at most this many programs there',
      wholeNumber(0, LARGEST_POOL_SIZE),
      DEFAULT_POOL_SIZE,
    )
    .option('--known <file>', 'known findings: counted, and not a failure until they expire');
  addHelp(command, [
    ['shadowdiff merge out/shard-* --out out/all', 'one report of all shards'],
    ['shadowdiff merge out/shard-* --out out/all --corpus corpus', 'and their counterexamples in the corpus'],
  ]).action(async (directories: readonly string[], flags: MergeFlags) => {
    session.exitCode = await runMerge(directories, flags, session);
  });
};

const runMerge = async (directories: readonly string[], flags: MergeFlags, session: Session): Promise<ExitCode> => {
  const { out } = flags;
  const known = await readKnown(flags.known);
  await checkDirectory('--out', out);
  if (flags.corpus !== undefined) await checkDirectory('--corpus', flags.corpus);
  await refuseToReplace(out);
  const runs = await readRuns(directories, session);
  const { record, ledger } = mergeRuns(runs);
  await makeResultDirectory('--out', out);
  await writeMergedEvents(out, ledger);
  await writeRunRecord(join(out, RUN_FILE), record);
  if (record.campaign.pool !== null) await bringPool(runs, record.campaign.pool, out, session);
  const options = {
    directory: out,
    record,
    known,
    keepIn: flags.corpus,
    interrupted: false,
    mostPrograms: flags.mostPrograms,
  };
  const publication = await publish(ledger, options, session);
  for (const line of nightlyReport(publication, { ledger, record, directory: out }, session)) session.print(line);
  return publication.summary.exitCode;
};

/** The runs have the same pool: any will do. Without one, findings are told all the same, and that no programs are kept. */
const bringPool = async (
  runs: readonly StoredRun[],
  identity: string,
  out: string,
  session: Session,
): Promise<void> => {
  for (const { directory } of runs) {
    try {
      return await writePool(out, await readPool(directory, identity));
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      session.complain(`shadowdiff: ${printable(error.message)}`);
    }
  }
};

/** Merging again is welcome; a run of a shard is not to be lost. */
const refuseToReplace = async (out: string): Promise<void> => {
  const there = await readRunRecord(join(out, RUN_FILE)).catch(() => undefined);
  if (there?.kind === 'run')
    throw new BadInput('--out', `${out}: a run that is not merged is here; name another directory`);
};

/** A shard that left nothing to read must not keep the others from being told; that it is missing is told with them. */
const readRuns = async (directories: readonly string[], session: Session): Promise<readonly StoredRun[]> => {
  const runs: StoredRun[] = [];
  for (const directory of directories) {
    try {
      runs.push(await readRun(directory, (problem) => session.complain(`shadowdiff: ${printable(problem)}`)));
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      session.complain(`shadowdiff: left out: ${printable(error.message)}`);
    }
  }
  return runs;
};
