import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Checked, RegressOptions, Verdict } from '../../../properties/corpus/regress.js';
import { checkStored } from '../../../properties/corpus/regress.js';
import type { CorpusFile } from '../../../properties/corpus/store.js';
import { isReadable, readCorpus, readStored } from '../../../properties/corpus/store.js';
import { visible } from '../../../properties/formats/index.js';
import { askingOf } from '../../../properties/invariants/asking.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { scopeOf } from '../../../properties/subjects/scope.js';
import { MODEL } from '../../../properties/subjects/subject-names.js';
import type { SubjectSettings } from '../../../properties/subjects/subject-names.js';
import type { FailedEnd, Subject } from '../../../properties/subjects/subject.js';
import { capabilitiesOf, withMethods } from '../../../properties/subjects/subject.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { notAskedText } from '../../report/document/report-verdict.js';
import { addHelp } from '../help.js';
import { DEFAULT_CORPUS } from '../../terminal/result-directory.js';
import type { ReadCorpusFlag } from '../options/paths.js';
import { addReadCorpus, corpusToRead } from '../options/paths.js';
import type { PagingFlag } from '../options/option-values.js';
import type { TimeLimitFlags, CommandFlags } from '../../terminal/sides.js';
import { addAllowExec, addTimeLimits } from '../options/side-flags.js';
import { allowedBy, subjectOf } from '../../terminal/sides.js';
import { pagingOption, wholeNumber } from '../options/option-values.js';
import { counted, formatCount } from '../../terminal/numbers.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';

interface RegressFlags extends TimeLimitFlags, CommandFlags, PagingFlag, ReadCorpusFlag {
  /** Entries at a time; left out: one. */
  readonly jobs?: number;
}

/** More processes than this get in each other's way on any machine. */
const MOST_JOBS = 256;

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('regress')
    .description('Check that every stored counterexample still diverges as recorded, and that fixed ones do not.')
    .argument('[file...]', 'only these entries (default: the whole corpus)')
    .option('--subject <name>', 'check that this subject agrees on every program, instead of those recorded')
    .option(
      '--jobs <count>',
      'processes of an exec: subject, each with its share (default: 1)',
      wholeNumber(1, MOST_JOBS),
    );
  addReadCorpus(command).addOption(pagingOption('only entries of this paging').default('both'));
  addHelp(addAllowExec(addTimeLimits(command)), [
    ['shadowdiff regress', 'every entry of ./corpus, or of the package where there is none'],
    ["shadowdiff regress --subject 'exec:./my-subject'", 'is another machine free of all bugs found before?'],
    ["shadowdiff regress --subject 'exec:./slow' --jobs 4", 'in four processes at a time'],
    ["shadowdiff regress --subject 'exec:./old' --paging 2-level", 'only what it can run'],
  ]).action(async (paths: readonly string[], flags: RegressFlags) => {
    session.exitCode = await runRegress(paths, flags, session);
  });
};

const runRegress = async (paths: readonly string[], flags: RegressFlags, session: Session): Promise<ExitCode> => {
  const { caseTimeout, startTimeout } = flags;
  const settings = { caseTimeout, startTimeout, allowed: allowedBy(flags) };
  const subjects = await subjectsOf(flags, settings, session);
  try {
    const stored = (await readAsked(paths, flags, session)).filter(isOf(flags.paging));
    const lanes = subjects.map((subject): RegressOptions => ({ ...settings, subject: keptOpen(subject) }));
    const code = await check(stored, lanes.length > 0 ? lanes : [settings], flags, session);
    const failed = (await Promise.all(subjects.map(close))).find((end) => end !== undefined);
    if (failed === undefined) return code;
    const { detail } = failed.answer;
    session.print(
      session.colors.red(printable(`diverges: ${flags.subject} failed at the end of its input: ${detail}`)),
    );
    return EXIT.divergence;
  } finally {
    await Promise.all(subjects.map(close));
  }
};

/** Empty if the recorded subjects are checked. */
const subjectsOf = async (
  { subject: name, jobs = 1 }: RegressFlags,
  settings: SubjectSettings,
  session: Session,
): Promise<readonly Subject[]> => {
  if (name === undefined) return [];
  // A command that cannot be started is reported once, not for every entry, and the others need not find out what it can do.
  const first = subjectOf(session, name, '--subject', settings);
  const started = await first.start?.();
  const capabilities = started === undefined ? {} : { [name]: started };
  const others = Array.from({ length: jobs - 1 }, () =>
    subjectOf(session, name, '--subject', { ...settings, capabilities }),
  );
  return [first, ...others];
};

const close = async (subject: Subject): Promise<FailedEnd | undefined> =>
  subject.kind === 'external' ? await subject.close() : undefined;

const check = async (
  stored: readonly CorpusFile[],
  lanes: readonly RegressOptions[],
  { corpus = DEFAULT_CORPUS, paging }: RegressFlags,
  session: Session,
): Promise<ExitCode> => {
  if (stored.length === 0) {
    const what = paging === 'both' ? 'counterexample' : `counterexample in ${paging} paging`;
    session.complain(`shadowdiff: ${printable(corpus)}: no ${what} is stored here, so nothing was checked`);
    return EXIT.inconclusive;
  }
  const counts = new Map<Verdict, number>();
  await checkInOrder(stored, lanes, (checked) => {
    counts.set(checked.verdict, (counts.get(checked.verdict) ?? 0) + 1);
    const { verdict } = checked;
    if (verdict === 'unsupported') session.print(session.colors.dim(lineOf(checked)));
    else if (verdict !== 'as-recorded') session.print(session.colors.red(lineOf(checked)));
  });
  const code = exitCodeOf(counts);
  const summary = summaryOf(counts) + (await notAskedBy(lanes[0].subject));
  session.print(code === EXIT.clean ? session.colors.green(summary) : summary);
  return code;
};

/** What the invariants could not look at of a subject that is asked in the place of those recorded, for the end of a line. */
const notAskedBy = async (subject: Subject | undefined): Promise<string> => {
  if (subject === undefined) return '';
  const { profile } = await capabilitiesOf(subject);
  const scope = await scopeOf(subject, MODEL, profile);
  const notAsked = notAskedText(INVARIANTS.map((invariant) => askingOf(invariant, scope, 'mixed')));
  return notAsked === undefined ? '' : `, but ${notAsked}`;
};

/**
 * Lane k mod n checks entry k, so that each process gets the same programs in every run, and one that goes wrong with time gives the same
 * results again. Results are shown in the order of the entries.
 */
const checkInOrder = async (
  stored: readonly CorpusFile[],
  lanes: readonly RegressOptions[],
  show: (checked: Checked) => void,
): Promise<void> => {
  const results = new Map<number, Checked>();
  let shown = 0;
  const work = async (options: RegressOptions, lane: number): Promise<void> => {
    for (let index = lane; index < stored.length; index += lanes.length) {
      results.set(index, await checkStored(stored[index], options));
      for (let next = results.get(shown); next !== undefined; next = results.get(++shown)) show(next);
      // Signals are handled only between two turns of the event loop.
      await setImmediate();
    }
  };
  await Promise.all(lanes.map(work));
};

/** An unreadable file may be of either paging. */
const isOf =
  (paging: PagingFlag['paging']) =>
  (stored: CorpusFile): boolean =>
    paging === 'both' || !isReadable(stored) || stored.case.program.machine.paging === paging;

/** The entries that the command line names, else the whole corpus. */
const readAsked = async (
  paths: readonly string[],
  flags: ReadCorpusFlag,
  session: Session,
): Promise<readonly CorpusFile[]> => {
  if (paths.length === 0) return await readCorpus(corpusToRead(flags, session));
  const stored: CorpusFile[] = [];
  for (const path of paths) stored.push(await readStored(path));
  return stored;
};

/** A subject that stays open between entries: starting a command takes far longer than one answer. */
const keptOpen = (subject: Subject): Subject =>
  subject.kind === 'in-process' ? subject : withMethods(subject, { close: () => Promise.resolve(undefined) });

const lineOf = ({ file, verdict, reason }: Checked): string =>
  printable(reason.startsWith(visible(file)) ? `${verdict}: ${reason}` : `${verdict}: ${file}: ${reason}`);

/** `12 entries: 10 as recorded, 1 diverging, 1 unreadable`. */
const summaryOf = (counts: ReadonlyMap<Verdict, number>): string => {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = VERDICTS.filter(([verdict]) => counts.has(verdict)).map(
    ([verdict, word]) => `${formatCount(counts.get(verdict)!)} ${word}`,
  );
  return `${counted(total, 'entry', 'entries')}: ${parts.join(', ')}`;
};

const VERDICTS: readonly (readonly [Verdict, string])[] = [
  ['as-recorded', 'as recorded'],
  ['diverges', 'diverging'],
  ['stale', 'stale'],
  ['unreadable', 'unreadable'],
  ['not-run', 'not run'],
  ['unsupported', 'not supported'],
];

/** A divergence outweighs an unreadable file, and that an entry that was not run. */
const exitCodeOf = (counts: ReadonlyMap<Verdict, number>): ExitCode => {
  if (counts.has('diverges') || counts.has('stale')) return EXIT.divergence;
  if (counts.has('unreadable')) return EXIT.badInput;
  if (counts.has('not-run')) return EXIT.inconclusive;
  // What was skipped does not count, but something must have been checked.
  return counts.has('as-recorded') ? EXIT.clean : EXIT.inconclusive;
};
