import type { Command } from 'commander';
import { BadInput } from '../../../properties/formats/index.js';
import type { TiedFinding } from '../../../properties/known-findings.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { checkDirectory, corpusOf } from '../../terminal/result-directory.js';
import { FindingStore, remedyFor } from '../../campaign/finding-store.js';
import { addHelp } from '../help.js';
import type { MergedRun, StoredRun } from '../../campaign/merged-run.js';
import { mergeRuns, readRun, writeMergedEvents } from '../../campaign/merged-run.js';
import { publish, writeResults } from '../../campaign/publish.js';
import { printReport } from '../../campaign/run-campaign.js';
import { inRunDirectory, readRunRecord, writeRunRecord } from '../../campaign/run-directory.js';
import { readKnown } from '../../campaign/tolerance.js';
import { addAllowExec } from '../options/side-flags.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';
import type { CommandFlags } from '../../terminal/sides.js';
import { allowedBy } from '../../terminal/sides.js';

interface MergeFlags extends CommandFlags {
  readonly out: string;
  readonly corpus?: string;
  readonly known?: string;
}

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('merge')
    .description(
      'Combine the shards of a campaign into one run. Their order does not matter, and a run given twice counts once.',
    )
    .argument('<directory...>', 'runs of shadowdiff nightly, or merged ones')
    .requiredOption('--out <directory>', 'where the merged run goes')
    .option('--corpus <directory>', 'also keep new counterexamples here (default: only in --out)')
    .option('--known <file>', 'known findings: counted, and not a failure until they expire (see shadowdiff known)');
  addHelp(addAllowExec(command), [
    ['shadowdiff merge out/shard-* --out out/all', 'one report of all shards'],
    ['shadowdiff merge out/shard-* --out out/all --corpus corpus', 'and their counterexamples in the corpus'],
  ]).action(async (directories: readonly string[], flags: MergeFlags) => {
    session.exitCode = await runMerge(directories, flags, session);
  });
};

const runMerge = async (directories: readonly string[], flags: MergeFlags, session: Session): Promise<ExitCode> => {
  const { out, corpus } = flags;
  const known = await readKnown(flags.known);
  await checkDirectory('--out', out);
  if (corpus !== undefined) await checkDirectory('--corpus', corpus);
  await refuseToReplace(out);
  const runs = await readRuns(directories, session);
  const merged = mergeRuns(runs);
  return await inRunDirectory(out, session, async () => {
    await refuseToReplace(out);
    return await publishMerged(merged, known, flags, session);
  });
};

const publishMerged = async (
  { record, ledger }: MergedRun,
  known: readonly TiedFinding[],
  flags: MergeFlags,
  session: Session,
): Promise<ExitCode> => {
  const { out, corpus: keepIn } = flags;
  await writeMergedEvents(out, record, ledger);
  const remedy = remedyFor(record);
  await writeRunRecord(out, record, remedy);
  const { caseTimeout } = record.campaign;
  const store = new FindingStore({ directory: out, keepIn, caseTimeout, remedy }, session);
  const options = {
    directory: out,
    record,
    known,
    corpus: keepIn ?? corpusOf(record.campaign),
    keepIn,
    interrupted: false,
    shortcoming: undefined,
  };
  const publication = await publish(ledger, options, store, session);
  printReport(publication, { directory: out, record }, session);
  await writeResults(out, record, publication, { allowed: allowedBy(flags), caseTimeout, session });
  return publication.summary.exitCode;
};

/** Merging again may replace a merged run, but never the run of a shard. */
const refuseToReplace = async (out: string): Promise<void> => {
  const existing = await readRunRecord(out).catch(() => undefined);
  if (existing?.kind === 'run')
    throw new BadInput('--out', `${out}: a run that is not merged is here; name another directory`);
};

/** Skips directories that cannot be read, so that the other shards are reported; the report names those that are missing. */
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
