/** Machines by name (formats.md, Names for subjects and references). */

import { BadInput, quoted } from '../formats/index.js';
import type { Capabilities } from './capabilities.js';
import { CommandSubject } from './command-subject.js';
import { PLATFORMS, metalCommand } from './metal-subject.js';
import { ModuleSubject } from './module-subject.js';
import { ownMachine } from './own-machines.js';
import type { Subject } from './subject.js';
import { WasmSubject } from './wasm-subject.js';

export { IMPL, MODEL, WALK, implWith, mmu, ownMachine } from './own-machines.js';

/** Names of the subjects beside those of this package that may run, as the user gave them on this command line; or all of them. */
export type AllowedCommands = 'all' | readonly string[];

/** Milliseconds. */
export const DEFAULT_START_TIMEOUT = 30_000;

export interface SubjectSettings {
  /** How long a subject that is not of this package may take for one program, in milliseconds. */
  readonly caseTimeout: number;
  /** How long it may take from its start to its first answer, in milliseconds; left out: `DEFAULT_START_TIMEOUT`. */
  readonly startTimeout?: number | undefined;
  /** What subjects that are not of this package can do, by name, where they were started in another process. */
  readonly capabilities?: Readonly<Record<string, Capabilities>> | undefined;
  /** Names also come from files, and what a file names runs only with the user's permission. */
  readonly allowed: AllowedCommands;
}

/** The most UTF-16 units of a command that a message shows. */
const MOST_COMMAND = 500;

/** A name stands for a command, a module or WebAssembly that the user has not allowed. The message is complete, for a terminal. */
export class CommandNotAllowed extends Error {
  override readonly name = 'CommandNotAllowed';

  /** `where`: the file that names the command. */
  constructor(where: string, command: string) {
    const shown = quoted(command, MOST_COMMAND);
    super(`${where}: not run, because it names a command: ${shown}; if you trust it, give --allow-exec`);
  }
}

export const SUBJECT_NAMES =
  'impl, impl:lguest, impl:DEFECT[,DEFECT…], model, walk, exec:COMMAND LINE, module:FILE, wasm:FILE, metal:PLATFORM';

/** For completion in shells: whole names, and the beginnings of those that go on with a file or a command. */
export const SUBJECT_WORDS: readonly string[] = [
  'impl',
  'impl:lguest',
  'model',
  'walk',
  'exec:',
  'module:',
  'wasm:',
  ...PLATFORMS.map((platform) => `metal:${platform}`),
];

/**
 * The machine with this name, such as `impl:set-pgd-loses-switcher` or `exec:./my-machine`. What is not of this package is not started yet.
 *
 * @param where - the option or file that the name came from, for messages
 * @throws BadInput for an unknown name
 * @throws CommandNotAllowed for a command, a module or WebAssembly that is not among those allowed
 */
export const subjectNamed = (name: string, where: string, settings: SubjectSettings): Subject => {
  const own = ownMachine(name, where);
  if (own !== undefined) return own;
  const [, kind, rest = ''] = /^(exec|module|wasm|metal):(.*)$/s.exec(name) ?? [];
  if (kind === undefined) {
    throw new BadInput(where, `there is no subject ${quoted(name)}; use one of: ${SUBJECT_NAMES}`);
  }
  const { allowed, caseTimeout, startTimeout = DEFAULT_START_TIMEOUT, capabilities } = settings;
  if (allowed !== 'all' && !allowed.includes(name)) throw new CommandNotAllowed(where, name);
  const known = capabilities?.[name];
  if (kind === 'module') return new ModuleSubject(rest, { where, caseTimeout, startTimeout, known });
  if (kind === 'wasm') return new WasmSubject(rest, { where, caseTimeout, startTimeout });
  const command = kind === 'metal' ? metalCommand(rest, where, { caseTimeout, startTimeout }) : rest;
  return new CommandSubject(command, where, { caseTimeout, startTimeout, known });
};
