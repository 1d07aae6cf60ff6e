import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Checked, Verdict } from '../../properties/corpus/regress.js';
import { checkStored } from '../../properties/corpus/regress.js';
import type { Stored } from '../../properties/corpus/store.js';
import { readCorpus, readStored } from '../../properties/corpus/store.js';
import type { Subject } from '../../properties/subjects/subject.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { addHelp } from '../help.js';
import { CORPUS } from '../options/corpus.js';
import type { CaseTimeoutFlag } from '../options/sides.js';
import { addCaseTimeout, subjectOf } from '../options/sides.js';
import { counted, formatCount } from '../report/numbers.js';
import { printable } from '../report/printable.js';
import type { Session } from '../session.js';

interface RegressFlags extends CaseTimeoutFlag {
  readonly corpus: string;
  readonly subject?: string;
}

export const registerRegress = (program: Command, session: Session): void => {
  const command = program
    .command('regress')
    .description('Check that every stored counterexample still says what it was kept for.')
    .argument('[file...]', 'only these entries (default: the whole corpus)')
    .option('--corpus <directory>', 'the corpus', CORPUS)
    .option('--subject <name>', 'check that this subject agrees on every program, instead of those recorded');
  addHelp(addCaseTimeout(command), [
    ['shadowdiff regress', 'every entry of ./corpus'],
    ["shadowdiff regress --subject 'exec:./my-subject'", 'is another machine free of all that was found before?'],
  ]).action(async (paths: readonly string[], flags: RegressFlags) => {
    session.exitCode = await regressOn(paths, flags, session);
  });
};

/** Of these files, or of the whole corpus. */
export const regressOn = async (paths: readonly string[], flags: RegressFlags, session: Session): Promise<ExitCode> => {
  const { caseTimeout } = flags;
  const subject = flags.subject === undefined ? undefined : subjectOf(session, flags.subject, '--subject', flags);
  await tryStart(subject);
  const stored: readonly Stored[] = paths.length > 0 ? await readEach(paths) : await readCorpus(flags.corpus);
  if (stored.length === 0) {
    session.complain(
      `shadowdiff: ${printable(flags.corpus)}: no counterexample is stored here, so nothing was checked`,
    );
    return EXIT.inconclusive;
  }
  const counts = new Map<Verdict, number>();
  const lent = subject === undefined ? undefined : lentOut(subject);
  try {
    for (const each of stored) {
      const checked = await checkStored(each, lent === undefined ? { caseTimeout } : { caseTimeout, subject: lent });
      counts.set(checked.verdict, (counts.get(checked.verdict) ?? 0) + 1);
      if (checked.verdict !== 'as-recorded') session.print(session.colors.red(lineOf(checked)));
      // Signals are heard only between two turns.
      await setImmediate();
    }
  } finally {
    if (subject?.kind === 'external') await subject.close();
  }
  const code = exitCodeOf(counts);
  session.print(code === EXIT.clean ? session.colors.green(summaryOf(counts)) : summaryOf(counts));
  return code;
};

const readEach = async (paths: readonly string[]): Promise<readonly Stored[]> => {
  const stored: Stored[] = [];
  for (const path of paths) stored.push(await readStored(path));
  return stored;
};

/** A command that cannot be started is told once, not for every entry. */
const tryStart = async (subject: Subject | undefined): Promise<void> => {
  if (subject?.kind !== 'external') return;
  await subject.start();
  await subject.close();
};

/** It lives through all entries: starting a command takes far longer than one answer. */
const lentOut = (subject: Subject): Subject =>
  subject.kind === 'in-process'
    ? subject
    : {
        kind: 'external',
        name: subject.name,
        start: () => subject.start(),
        answer: (program) => subject.answer(program),
        close: () => Promise.resolve(),
      };

const lineOf = ({ path, verdict, reason }: Checked): string =>
  printable(reason.startsWith(path) ? `${verdict}: ${reason}` : `${verdict}: ${path}: ${reason}`);

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
];

/** What is known to be wrong weighs more than what could not be read. */
const exitCodeOf = (counts: ReadonlyMap<Verdict, number>): ExitCode => {
  if (counts.has('diverges') || counts.has('stale')) return EXIT.divergence;
  return counts.has('unreadable') ? EXIT.badInput : EXIT.clean;
};
