/** From the words of a command line to an exit code. */

import { Command, CommanderError } from 'commander';
import { BadInput } from '../../properties/formats/bad-input.js';
import { CommandNotAllowed } from '../../properties/subjects/subject-names.js';
import type { ListedCommand } from './commands/registry.js';
import { COMMANDS } from './commands/registry.js';
import type { ExitCode } from '../terminal/exit-codes.js';
import { EXIT } from '../terminal/exit-codes.js';
import { addHelp, helpItem, helpWidth } from './help.js';
import { readPaths } from './options/paths.js';
import { counted } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import { Session } from '../terminal/session.js';
import type { Surroundings } from '../terminal/surroundings.js';
import { packageVersion } from '../own-package.js';

/** Runs one command. `words`: what follows the program's name. Never throws. */
export const main = async (words: readonly string[], surroundings: Surroundings): Promise<ExitCode> => {
  const session = new Session(surroundings);
  try {
    const isCalled = (name: string): boolean => words.includes(name) || words.includes('completion');
    const program = await commandLine(isCalled, session);
    await program.parseAsync(words, { from: 'user' });
    return session.exitCode;
  } catch (error) {
    return explain(error, session);
  }
};

/** Commands that are not called have no more than their line in the help, so that their code is not loaded. */
export const commandLine = async (isCalled: (name: string) => boolean, session: Session): Promise<Command> => {
  const { stdout, stderr } = session.surroundings;
  const program = new Command('shadowdiff')
    .description('Differential testing and fuzzing of shadow page tables.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => session.print(text.trimEnd()),
      writeErr: (text) => session.complain(text.trimEnd().split('\n').map(printable).join('\n')),
      getOutHelpWidth: () => helpWidth(stdout),
      getErrHelpWidth: () => helpWidth(stderr),
    })
    .configureHelp({ formatItem: helpItem });
  addHelp(program, [
    ['shadowdiff fuzz --time 2m', 'look for divergences for two minutes'],
    ['shadowdiff replay corpus/FILE', 'replay a counterexample step by step'],
    ['shadowdiff regress', 'replay the whole corpus'],
  ]);
  for (const listed of COMMANDS) await add(listed, program, isCalled(listed.name) ? session : undefined);
  for (const command of program.commands) finish(command, `shadowdiff ${command.name()}`, session);
  listenForNoColor(program, session);
  program.showHelpAfterError('(shadowdiff --help lists the commands)');
  return program;
};

const add = async ({ name, summary, load }: ListedCommand, program: Command, session?: Session): Promise<void> => {
  if (session === undefined) program.command(name);
  else (await load()).register(program, session);
  program.commands.at(-1)?.summary(summary);
};

/** What every command has, and every command below it. `path`: how it is called. */
const finish = (command: Command, path: string, session: Session): void => {
  listenForNoColor(command, session);
  readPaths(command);
  command.showHelpAfterError(`(${path} --help shows how it is used)`);
  if (command.commands.length > 0) refuseOthers(command, path);
  for (const below of command.commands) finish(below, `${path} ${below.name()}`, session);
};

/** Commander counts a word that is none of the commands below as one argument too many. */
const refuseOthers = (command: Command, path: string): void => {
  const names = command.commands.map((below) => below.name());
  const check = (): void => {
    const [word] = command.args;
    if (word === undefined || word.startsWith('-') || names.includes(word)) return;
    command.error(`error: unknown command '${word}'; the commands of ${path} are: ${names.join(', ')}`);
  };
  // The first hook runs before a default command counts its arguments, the second one before the command itself runs.
  command.allowExcessArguments().hook('preSubcommand', check).hook('preAction', check);
};

/** Before or behind the command's name: people try both. */
const listenForNoColor = (command: Command, session: Session): void => {
  command.option('--no-color', 'print without colours (as does the variable NO_COLOR)');
  command.on('option:no-color', () => session.withoutColors());
};

const explain = (error: unknown, session: Session): ExitCode => {
  const { lines, code } = explained(error);
  for (const line of lines) session.complain(line);
  return code;
};

const MOST_START_LINES = 20;

/** The end of what a command wrote before it ended without an answer, if the message does not have all of it. */
const startErrorLines = ({ standardError = '' }: BadInput): readonly string[] => {
  const lines = standardError.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length < 2) return [];
  const left = lines.length - MOST_START_LINES;
  const shown = lines.slice(-MOST_START_LINES).map((line) => `  ${printable(line)}`);
  return [
    'the end of its standard error:',
    ...(left > 0 ? [`  (${counted(left, 'line')} before these)`] : []),
    ...shown,
  ];
};

/** What is printed of an error, and the exit code. One that no code of ours expects is a bug of ours. */
export const explained = (error: unknown): { readonly lines: readonly string[]; readonly code: ExitCode } => {
  if (error instanceof CommanderError) return { lines: [], code: error.exitCode === 0 ? EXIT.clean : EXIT.badInput };
  if (error instanceof BadInput) {
    return {
      lines: [`shadowdiff: ${printable(error.message)}`, ...startErrorLines(error)],
      code: EXIT.badInput,
    };
  }
  if (error instanceof CommandNotAllowed)
    return { lines: [`shadowdiff: ${printable(error.message)}`], code: EXIT.inconclusive };
  const thrown = error instanceof Error ? error : new Error(String(error));
  const message = `shadowdiff: ${printable(thrown.message)}; this is a bug in shadowdiff, please report it`;
  return { lines: [message, ...(thrown.stack ?? '').split('\n').map(printable)], code: EXIT.internal };
};
