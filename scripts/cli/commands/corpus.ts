import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { BadInput } from '../../../properties/formats/index.js';
import { compareWorth } from '../../../properties/formats/program-format.js';
import type { Finding, Provenance, Status } from '../../../properties/finding.js';
import { FINDING_NAMES, fileNameOf } from '../../../properties/corpus/counterexample.js';
import { STATUSES } from '../../../properties/finding.js';
import type { Checked } from '../../../properties/corpus/regress.js';
import { checkStored, stillDiverges } from '../../../properties/corpus/regress.js';
import type { StoredFinding } from '../../../properties/corpus/store.js';
import {
  isSameBug,
  readCorpus,
  readCorpusIfThere,
  readStored,
  readableOf,
  redundant,
  saveFinding,
} from '../../../properties/corpus/store.js';
import { signatureOf } from '../../../properties/divergence.js';
import type { SubjectSettings } from '../../../properties/subjects/subject-names.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { addHelp } from '../help.js';
import { DEFAULT_CORPUS } from '../../terminal/result-directory.js';
import type { TimeLimitFlags, CommandFlags } from '../../terminal/sides.js';
import { allowedBy } from '../../terminal/sides.js';
import type { ReadCorpusFlag } from '../options/paths.js';
import { addReadCorpus, corpusToRead } from '../options/paths.js';
import { addAllowExec, addTimeLimits } from '../options/side-flags.js';
import { labelled } from '../../terminal/labelled.js';
import { counted, formatCount } from '../../terminal/numbers.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';

interface CorpusFlags {
  readonly corpus: string;
}

interface ListFlags extends ReadCorpusFlag {
  readonly status?: Status;
  readonly subject?: string;
  readonly invariant?: string;
  readonly json?: true;
}

interface RunFlags extends CorpusFlags, TimeLimitFlags, CommandFlags {}

interface PruneFlags extends RunFlags {
  readonly stale?: true;
  readonly dryRun?: true;
}

export const register = (program: Command, session: Session): void => {
  const command = program.command('corpus').description('List, add and prune the stored counterexamples.');
  addHelp(command, [
    ['shadowdiff corpus', 'all of them, two lines each'],
    ['shadowdiff corpus add out/findings/*.json', 'keep the findings of a run'],
    ['shadowdiff corpus prune --dry-run', 'which ones are redundant'],
    ['shadowdiff corpus stats', 'counts and lengths'],
  ]);
  addList(command, session);
  addAdd(command, session);
  addPrune(command, session);
  addStats(command, session);
};

const withCorpus = (command: Command): Command => command.option('--corpus <directory>', 'the corpus', DEFAULT_CORPUS);

/** For a command that runs entries. */
const withRuns = (command: Command): Command => addAllowExec(addTimeLimits(withCorpus(command)));

/** Throws `BadInput` for an unreadable file: only a whole corpus can be put in order. */
const readWhole = async (directory: string): Promise<readonly StoredFinding[]> =>
  (await readCorpus(directory)).map(readableOf);

const addList = (command: Command, session: Session): void => {
  addReadCorpus(command.command('list', { isDefault: true }).description('List every entry, by file name.'))
    .addOption(new Option('--status <status>', 'only these').choices(STATUSES))
    .option('--subject <name>', 'only those of this subject')
    .option('--invariant <id>', 'only those that are named after it')
    .option('--json', 'a JSON object a line')
    .action(async (flags: ListFlags) => {
      if (flags.invariant !== undefined && !FINDING_NAMES.includes(flags.invariant)) {
        throw new BadInput(
          '--invariant',
          `${JSON.stringify(flags.invariant)} is not known; see: shadowdiff invariants`,
        );
      }
      const corpus = corpusToRead(flags, session);
      const wanted = (await readWhole(corpus)).filter((each) => isWanted(each, flags));
      if (wanted.length === 0 && flags.json !== true)
        session.complain(`shadowdiff: ${printable(corpus)}: no such entries`);
      for (const each of wanted) await session.stream(flags.json === true ? asJson(each) : asText(each, session));
    });
};

const isWanted = ({ status, subject, divergence }: Finding, flags: ListFlags): boolean =>
  (flags.status ?? status) === status &&
  (flags.subject ?? subject) === subject &&
  (flags.invariant ?? divergence.invariant) === divergence.invariant;

const asJson = (finding: StoredFinding): string => {
  const { file: path, status, subject, reference, divergence, case: found, provenance } = finding;
  const steps = found.program.steps.length;
  const signature = signatureOf(divergence);
  return JSON.stringify({ path, status, subject, reference, signature, steps, date: provenance.date });
};

const asText = (finding: StoredFinding, { colors }: Session): string => {
  const { file, status, subject, divergence, case: found, provenance } = finding;
  const length = counted(found.program.steps.length, 'step');
  const facts = [status, printable(subject), length, dayOf(provenance)].join(', ');
  return `${colors.bold(printable(file))}\n  ${printable(signatureOf(divergence))}\n  ${facts}`;
};

/** YYYY-MM-DD, if the file holds what it should. */
const dayOf = ({ date }: Provenance): string => printable(date.slice(0, 10));

const addAdd = (command: Command, session: Session): void => {
  withRuns(command.command('add').description('Add findings that still diverge as recorded.'))
    .argument('<file...>', 'counterexamples')
    .action(async (paths: readonly string[], flags: RunFlags) => {
      for (const path of paths) {
        const finding = readableOf(await readStored(path));
        const checked = await checkStored(finding, settingsOf(flags));
        if (!isNotRun(checked, session)) session.print(printable(await addOne(path, finding, checked, flags)));
      }
    });
};

const settingsOf = (flags: RunFlags): SubjectSettings => ({
  caseTimeout: flags.caseTimeout,
  startTimeout: flags.startTimeout,
  allowed: allowedBy(flags),
});

/** Reports an entry whose command was not run: the user's question stays open. */
const isNotRun = ({ verdict, reason }: Checked, session: Session): boolean => {
  if (verdict !== 'not-run') return false;
  session.complain(`shadowdiff: ${printable(reason)}`);
  session.exitCode = EXIT.inconclusive;
  return true;
};

const addOne = async (
  path: string,
  finding: StoredFinding,
  { verdict, reason }: Checked,
  { corpus }: CorpusFlags,
): Promise<string> => {
  // A subject that is not a planted defect still has its bug: regress reports it, and the corpus is meant for it.
  const holds = verdict === 'as-recorded' || (verdict === 'diverges' && finding.status === 'open');
  if (!holds) throw new BadInput(path, `${verdict}: ${reason}; only findings that still hold are kept`);
  const same = (await readCorpusIfThere(corpus)).map(readableOf).filter((each) => isSameBug(each, finding));
  const better = same.find(
    (each) => compareWorth(each.case.program, finding.case.program) <= 0 || fileNameOf(each) === fileNameOf(finding),
  );
  if (better !== undefined) return `${path}: not added, ${better.file} already shows the same bug in no more steps`;
  // A user's note outlives the program that it was written for.
  const note = finding.note === '' ? (same.find((each) => each.note !== '')?.note ?? '') : finding.note;
  const saved = await saveFinding(corpus, { ...finding, note });
  for (const { file } of same) await rm(file);
  const instead = same.length === 0 ? '' : ` instead of ${same.map(({ file }) => file).join(', ')}`;
  return `${path}: added as ${saved}${instead}`;
};

const addPrune = (command: Command, session: Session): void => {
  const prune = command.command('prune').description('Remove entries that show the same bug as a shorter one.');
  withRuns(prune)
    .option('--stale', 'and open ones that no longer diverge at all')
    .option('--dry-run', 'only list them')
    .action(async (flags: PruneFlags) => {
      const stored = await readWhole(flags.corpus);
      const gone = new Map(redundant(stored).map((each) => [each.file, 'a shorter one shows the same bug']));
      if (flags.stale === true) for (const [path, why] of await staleOnes(stored, flags, session)) gone.set(path, why);
      for (const [path, why] of gone) {
        if (flags.dryRun !== true) await rm(path);
        session.print(printable(`${flags.dryRun === true ? 'would remove' : 'removed'} ${path}: ${why}`));
      }
      session.print(`${counted(stored.length - gone.size, 'entry', 'entries')} left`);
    });
};

const staleOnes = async (
  stored: readonly StoredFinding[],
  flags: RunFlags,
  session: Session,
): Promise<readonly (readonly [path: string, why: string])[]> => {
  const stale: (readonly [string, string])[] = [];
  for (const each of stored) {
    const checked = await checkStored(each, settingsOf(flags));
    if (isNotRun(checked, session) || checked.verdict !== 'stale') continue;
    // One that diverges in another way still shows a bug: only its owner may throw it away.
    if (!(await stillDiverges(each, settingsOf(flags)))) stale.push([each.file, checked.reason]);
  }
  return stale;
};

const addStats = (command: Command, session: Session): void => {
  addReadCorpus(
    command
      .command('stats')
      .description('Count the entries by status, invariant and subject, and measure their length.'),
  )
    .option('--json', 'as JSON')
    .action(async ({ json, ...flags }: ReadCorpusFlag & { readonly json?: true }) => {
      const corpus = corpusToRead(flags, session);
      const stats = statsOf(await readWhole(corpus));
      if (json === true) session.print(JSON.stringify(stats, undefined, 1));
      else if (stats.entries === 0) session.complain(`shadowdiff: ${printable(corpus)}: no entries`);
      else for (const line of statsLines(stats, session)) session.print(line);
    });
};

const statsOf = (entries: readonly Finding[]) => {
  const lengths = entries.map((entry) => entry.case.program.steps.length).toSorted((one, other) => one - other);
  const dates = entries.map(({ provenance }) => dayOf(provenance)).toSorted();
  return {
    entries: entries.length,
    steps: { median: lengths[Math.floor(lengths.length / 2)] ?? 0, most: lengths.at(-1) ?? 0 },
    dates: { first: dates[0] ?? '', last: dates.at(-1) ?? '' },
    byStatus: tallied(entries.map(({ status }) => status)),
    byInvariant: tallied(entries.map(({ divergence }) => divergence.invariant)),
    bySubject: tallied(entries.map(({ subject }) => subject)),
  };
};

/** Most frequent first; of equals in the order of the alphabet. */
const tallied = (names: readonly string[]): Readonly<Record<string, number>> => {
  const counts = new Map<string, number>();
  for (const name of names.toSorted()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, one], [, other]) => other - one));
};

/** Of a longer list only the most frequent are shown; --json has all. */
const MOST_NAMES = 20;

const statsLines = (
  { entries, steps, dates, byStatus, byInvariant, bySubject }: ReturnType<typeof statsOf>,
  { width }: Session,
): readonly string[] => {
  const list = (counts: Readonly<Record<string, number>>): string => {
    const named = Object.entries(counts).map(([name, count]) => `${printable(name)} ${formatCount(count)}`);
    const rest = named.length - MOST_NAMES;
    return [...named.slice(0, MOST_NAMES), ...(rest > 0 ? [`and ${formatCount(rest)} more`] : [])].join(', ');
  };
  return [
    labelled('entries', formatCount(entries), width),
    labelled('steps', `median ${steps.median}, most ${steps.most} in a program`, width),
    labelled('found', `${dates.first} to ${dates.last}`, width),
    labelled('status', list(byStatus), width),
    labelled('invariant', list(byInvariant), width),
    labelled('subjects', list(bySubject), width),
  ];
};
