/** Who stands on the two sides, as options say it. */

import type { Command } from 'commander';
import { Option } from 'commander';
import type { SubjectSettings } from '../../../properties/subjects/registry.js';
import { IMPL, MODEL, SUBJECT_NAMES, subjectNamed } from '../../../properties/subjects/registry.js';
import type { Subject } from '../../../properties/subjects/subject.js';
import type { CaseFile } from '../input/case-file.js';
import type { Session } from '../../terminal/session.js';
import { duration } from './duration.js';

/** Milliseconds. */
export const DEFAULT_CASE_TIMEOUT = 5000;

export interface CaseTimeoutFlag {
  /** Milliseconds. */
  readonly caseTimeout: number;
}

export interface SideFlags extends CaseTimeoutFlag {
  readonly subject?: string;
  readonly reference?: string;
}

export interface Sides {
  readonly subject: Subject;
  readonly reference: Subject;
}

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
      .option('--subject <name>', `who is tested: ${SUBJECT_NAMES} (default: ${standing.subject})`)
      .option('--reference <name>', `who is right (default: ${standing.reference})`),
  );

/** The subject of that name. Throws `BadInput` for a name that is none; `where` says who asked, for the message. */
export const subjectOf = ({ surroundings }: Session, name: string, where: string, settings: SubjectSettings): Subject =>
  (surroundings.subjectNamed ?? subjectNamed)(name, where, settings);

/** Throws `BadInput` for a name that is none. `recorded`: who stands there if no option says otherwise. */
export const sidesOf = (
  flags: SideFlags,
  session: Session,
  recorded: { readonly subject: string; readonly reference: string; readonly source: string } | undefined,
): Sides => {
  const named = (flag: string, name: string | undefined, otherwise: string): Subject =>
    name === undefined
      ? subjectOf(session, otherwise, recorded?.source ?? flag, flags)
      : subjectOf(session, name, flag, flags);
  return {
    subject: named('--subject', flags.subject, recorded?.subject ?? IMPL.name),
    reference: named('--reference', flags.reference, recorded?.reference ?? MODEL.name),
  };
};

/** As `sidesOf`; a counterexample says who stood there. */
export const sidesFor = ({ entry, source }: CaseFile, flags: SideFlags, session: Session): Sides =>
  sidesOf(flags, session, entry === undefined ? undefined : { ...entry, source });

/** Starts what runs outside the process, or throws `BadInput`, so that it is told before anything is written. */
export const startSides = async ({ subject, reference }: Sides): Promise<void> => {
  for (const side of [reference, subject]) if (side.kind === 'external') await side.start();
};

export const closeSides = async ({ subject, reference }: Sides): Promise<void> => {
  for (const side of [reference, subject]) if (side.kind === 'external') await side.close();
};
