/** The options that name the two sides of a run. */

import type { Command } from 'commander';
import { CommandNotAllowed, DEFAULT_START_TIMEOUT, SUBJECT_NAMES } from '../../../properties/subjects/subject-names.js';
import { recordedReport } from '../../report/replay-text.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';
import type { SideFlags, Sides } from '../../terminal/sides.js';
import { DEFAULT_CASE_TIMEOUT, sidesOf } from '../../terminal/sides.js';
import type { CaseFile } from '../case-file.js';
import { caseTimeoutOption, profileOption, startTimeoutOption } from './option-values.js';

export const addTimeLimits = (command: Command): Command =>
  command
    .addOption(caseTimeoutOption().default(DEFAULT_CASE_TIMEOUT, '5s'))
    .addOption(startTimeoutOption().default(DEFAULT_START_TIMEOUT, '30s'));

/** For a command that runs what files name. */
export const addAllowExec = (command: Command): Command =>
  command.option(
    '--allow-exec',
    'also run commands, modules and WebAssembly that files name; only for files that you trust like a script',
  );

/** What holds where no option names another, for the help. */
interface Defaults {
  readonly subject: string;
  readonly reference: string;
  readonly profile: string;
}

/** For a command that takes no side from a file. */
export const addNamedSides = (command: Command, { subject, reference, profile }: Defaults): Command =>
  addTimeLimits(
    command
      .option('--subject <name>', `the machine under test: ${SUBJECT_NAMES} (default: ${subject})`)
      .option('--reference <name>', `the machine it must agree with (default: ${reference})`)
      .addOption(profileOption(profile)),
  );

export const addSides = (command: Command, defaults: Pick<Defaults, 'subject' | 'reference'>): Command =>
  addAllowExec(addNamedSides(command, { ...defaults, profile: 'as recorded, else lguest' }));

/** As `sidesOf`; a counterexample records its sides. */
export const sidesFor = ({ entry, source }: CaseFile, flags: SideFlags, session: Session): Sides =>
  sidesOf(flags, session, entry === undefined ? undefined : { ...entry, source });

/** As `sidesFor`; returns the refusal of a command, so that what the file records can be shown instead. */
export const allowedSidesFor = (file: CaseFile, flags: SideFlags, session: Session): Sides | CommandNotAllowed => {
  try {
    return sidesFor(file, flags, session);
  } catch (error) {
    if (error instanceof CommandNotAllowed) return error;
    throw error;
  }
};

/** Shows what a file records, in the place of what its command would have done. */
export const showRecorded = (
  { source, entry }: CaseFile,
  refusal: CommandNotAllowed,
  { json }: { readonly json?: true },
  session: Session,
): void => {
  // A bare program names no command.
  if (json !== true && entry !== undefined) {
    session.print(session.colors.bold(printable(source)));
    for (const line of recordedReport(entry, session)) session.print(line);
  }
  session.complain(`shadowdiff: ${printable(refusal.message)}`);
};
