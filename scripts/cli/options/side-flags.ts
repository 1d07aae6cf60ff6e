/** The options that name the two sides of a run. */

import type { Command } from 'commander';
import { Option } from 'commander';
import { SUBJECT_NAMES } from '../../../properties/subjects/subject-names.js';
import type { Session } from '../../terminal/session.js';
import type { SideFlags, Sides } from '../../terminal/sides.js';
import { DEFAULT_CASE_TIMEOUT, sidesOf } from '../../terminal/sides.js';
import type { CaseFile } from '../input/case-file.js';
import { duration } from './duration.js';

export const addCaseTimeout = (command: Command): Command =>
  command.addOption(
    new Option('--case-timeout <duration>', 'what an exec: subject may take for one program')
      .default(DEFAULT_CASE_TIMEOUT, '5s')
      .argParser(duration),
  );

/** `standing`: who stands there if nobody is named, for the help. */
export const addSides = (
  command: Command,
  standing: { readonly subject: string; readonly reference: string },
): Command =>
  addCaseTimeout(
    command
      .option('--subject <name>', `the machine under test: ${SUBJECT_NAMES} (default: ${standing.subject})`)
      .option('--reference <name>', `the machine it must agree with (default: ${standing.reference})`),
  );

/** As `sidesOf`; a counterexample says who stood there. */
export const sidesFor = ({ entry, source }: CaseFile, flags: SideFlags, session: Session): Sides =>
  sidesOf(flags, session, entry === undefined ? undefined : { ...entry, source });
