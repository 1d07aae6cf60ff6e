import { spawn } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { BadInput } from '../../../properties/formats/index.js';
import { Worktree, git } from '../worktree.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { addHelp } from '../help.js';
import { readCaseFile } from '../case-file.js';
import { packageDirectory } from '../../own-package.js';
import { addAllowExec, sidesFor } from '../options/side-flags.js';
import type { CommandFlags, Sides } from '../../terminal/sides.js';
import { DEFAULT_START_TIMEOUT, ownMachine } from '../../../properties/subjects/subject-names.js';
import { DEFAULT_CASE_TIMEOUT } from '../../terminal/sides.js';
import { printable } from '../../terminal/printable.js';
import { commandLineOf } from '../../terminal/shell-words.js';
import type { Session } from '../../terminal/session.js';

interface BisectFlags extends CommandFlags {
  readonly good: string;
  readonly bad: string;
  readonly repo: string;
  readonly build?: string;
}

/** The command, from the directory of the package. */
const COMPILED = 'dist/scripts/shadowdiff.js';
/** What makes a commit of this package ready to run. */
const OWN_BUILD = 'npm ci --no-audit --no-fund';

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('bisect')
    .description('Find the commit that introduced a divergence, by git bisect in a separate checkout.')
    .argument('<file>', 'a counterexample or a bare program')
    .requiredOption('--good <commit>', 'a commit on which both sides agree')
    .option('--bad <commit>', 'a commit on which they diverge', 'HEAD')
    .option('--repo <directory>', 'the repository of the machine', '.')
    .option('--subject <name>', 'the machine, run in the checkout (default: as recorded)')
    .option('--build <command>', 'builds a commit; commits that fail to build are skipped');
  addHelp(addAllowExec(command), [
    [
      "shadowdiff bisect out/findings/FILE --good v1.2 --subject 'exec:./my-machine' --build make",
      'your machine, in its repository',
    ],
    ['shadowdiff bisect corpus/FILE --good HEAD~40', 'impl, in a clone of this repository'],
  ]).action(async (file: string, flags: BisectFlags) => {
    session.exitCode = await runBisect(file, flags, session);
  });
};

const runBisect = async (file: string, flags: BisectFlags, session: Session): Promise<ExitCode> => {
  const sides = sidesFor(
    await readCaseFile(file, session.surroundings),
    { ...flags, caseTimeout: DEFAULT_CASE_TIMEOUT, startTimeout: DEFAULT_START_TIMEOUT },
    session,
  );
  const repository = await git(flags.repo, 'rev-parse', '--show-toplevel');
  const [good, bad] = await Promise.all([flags.good, flags.bad].map((name) => commitOf(repository, name)));
  const worktree = await Worktree.of(repository, bad);
  const running = new AbortController();
  const unsubscribe = session.surroundings.onInterrupt(() => running.abort());
  try {
    const script = scriptFor(await realpath(resolve(file)), sides, flags);
    await expectCode(worktree, script, bad, { code: 1, name: '--bad', says: 'both sides agree on it' }, running.signal);
    await expectCode(
      worktree,
      script,
      good,
      { code: 0, name: '--good', says: 'both sides diverge on it too' },
      running.signal,
    );
    await worktree.git('bisect', 'start', bad, good);
    await shell(worktree.directory, ['git', 'bisect', 'run', 'sh', '-c', script], running.signal);
    if (running.signal.aborted) return EXIT.interrupted;
    return await printResult(worktree, session);
  } catch (error) {
    if (running.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    unsubscribe();
    await worktree.remove();
  }
};

const commitOf = (repository: string, name: string): Promise<string> =>
  git(repository, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`).catch(() => {
    throw new BadInput(name, `not a commit of ${repository}; correct --good or --bad`);
  });

/** What git takes for "this commit cannot be judged". */
const CANNOT_TELL = 125;

/**
 * What git bisect runs with sh on each commit: it builds, then replays. 0: both sides agree; 1: they part; anything else cannot be judged. A
 * machine that is not of this package is judged by the command that runs now; impl by the command of each commit. Both sides are named, so
 * that the replay runs no command that only the file names.
 */
const scriptFor = (file: string, { subject, model }: Sides, flags: BisectFlags): string => {
  const isOwn = ownMachine(subject.name, file) !== undefined;
  const { build = isOwn ? OWN_BUILD : undefined } = flags;
  const entry = isOwn ? COMPILED : join(packageDirectory(), COMPILED);
  const replay = ['replay', '--subject', subject.name, '--reference', model.name, file];
  return [
    ...(build === undefined ? [] : [`( ${build} ) >build.log 2>&1 || exit ${CANNOT_TELL}`]),
    `${commandLineOf([process.execPath, entry, ...replay])} >replay.log 2>&1`,
    'code=$?',
    '[ "$code" -eq 0 ] && exit 0',
    // Of another divergence than the one looked for, replay names the recorded one.
    `[ "$code" -eq 1 ] && ! grep -q '^recorded: ' replay.log && exit 1`,
    `exit ${CANNOT_TELL}`,
  ].join('\n');
};

interface Expectation {
  readonly code: number;
  readonly name: string;
  /** Of a commit that gives the other code. */
  readonly says: string;
}

/** Both ends must be what they are said to be, or the search would end anywhere. */
const expectCode = async (
  worktree: Worktree,
  script: string,
  commit: string,
  { code, name, says }: Expectation,
  signal: AbortSignal,
): Promise<void> => {
  await worktree.git('checkout', '--quiet', '--detach', commit);
  const found = await shell(worktree.directory, ['sh', '-c', script], signal);
  if (found === code || signal.aborted) return;
  const why = found === CANNOT_TELL ? 'it cannot be built or run, or diverges in another way' : says;
  throw new BadInput(name, `${commit.slice(0, 12)}: ${why}; name another commit`);
};

/** Answers the exit code; what it prints is not for the terminal. Throws, and starts nothing, once interrupted. */
const shell = (directory: string, [command, ...words]: readonly string[], signal: AbortSignal): Promise<number> => {
  signal.throwIfAborted();
  return new Promise((resolve) => {
    const child = spawn(command, words, { cwd: directory, stdio: 'ignore', detached: true });
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    };
    signal.addEventListener('abort', end, { once: true });
    child.once('error', () => resolve(CANNOT_TELL));
    child.once('close', (code) => {
      signal.removeEventListener('abort', end);
      resolve(code ?? CANNOT_TELL);
    });
  });
};

/** `git bisect run` has marked what it found. */
const printResult = async (worktree: Worktree, session: Session): Promise<ExitCode> => {
  const log = await worktree.git('bisect', 'log');
  const first = /^# first bad commit: \[([0-9a-f]+)\]/m.exec(log)?.[1];
  if (first === undefined) {
    const candidates = [...log.matchAll(/^# possible first bad commit: \[([0-9a-f]+)\] (.*)$/gm)];
    session.print('every commit between the last good and the first bad one was skipped; one of these broke it:');
    for (const [, commit, subject] of candidates) session.print(printable(`${commit.slice(0, 12)} ${subject}`));
    return EXIT.inconclusive;
  }
  session.print(printable(await worktree.git('log', '-1', '--format=first bad commit: %h %s (%an, %as)', first)));
  const stat = await worktree.git('show', '--stat', '--format=', first);
  for (const line of stat.split('\n')) session.print(printable(line));
  return EXIT.clean;
};
