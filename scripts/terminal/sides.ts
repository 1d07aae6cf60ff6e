/** The two machines of a run: found by name, started and closed. */

import type { Program } from '../../model/vocabulary/index.js';
import type { Replay } from '../../properties/finding.js';
import { BadInput } from '../../properties/formats/index.js';
import type { Invariant } from '../../properties/invariants/invariant.js';
import { INVARIANTS, invariantNamed } from '../../properties/invariants/invariants.js';
import type { AllowedCommands, SubjectSettings } from '../../properties/subjects/subject-names.js';
import { IMPL, MODEL, subjectNamed } from '../../properties/subjects/subject-names.js';
import { answerOfMachine } from '../../properties/subjects/foreign-machine.js';
import type { Profile } from '../../properties/profile.js';
import { whyNotRun } from '../../properties/subjects/scope.js';
import type { Answer, Subject } from '../../properties/subjects/subject.js';
import { traceOf, traceWithShadowOf } from '../../properties/trace-of.js';
import type { Session } from './session.js';

/** Milliseconds. */
export const DEFAULT_CASE_TIMEOUT = 5000;

export interface TimeLimitFlags {
  /** Milliseconds that a subject outside this process may take for one program. */
  readonly caseTimeout: number;
  /** Milliseconds that it may take from its start to its first answer. */
  readonly startTimeout: number;
}

/** What permits commands to run: the user names them, or trusts those that files name. */
export interface CommandFlags {
  readonly allowExec?: true;
  readonly subject?: string;
  readonly reference?: string;
}

export interface SideFlags extends TimeLimitFlags, CommandFlags {
  readonly profile?: Profile;
}

export interface Sides {
  readonly subject: Subject;
  readonly model: Subject;
  /** What of both is looked at. */
  readonly profile: Profile;
}

export const allowedBy = ({ allowExec, subject, reference }: CommandFlags): AllowedCommands =>
  allowExec === true ? 'all' : [subject, reference].filter((name) => name !== undefined);

/** Throws `BadInput` for an unknown name, `CommandNotAllowed` for a command without permission; `where` is the option or file it came from. */
export const subjectOf = ({ surroundings }: Session, name: string, where: string, settings: SubjectSettings): Subject =>
  (surroundings.subjectNamed ?? subjectNamed)(name, where, settings);

/** The two sides that a file records. */
export interface RecordedSides {
  readonly subject: string;
  readonly reference: string;
  readonly profile?: Profile;
  /** The file. */
  readonly source: string;
}

/** The sides that a file names. Throws as `subjectOf`. */
export const recordedSides = (
  { subject, reference, profile = 'lguest', source }: RecordedSides,
  session: Session,
  settings: SubjectSettings,
): Sides => ({
  subject: subjectOf(session, subject, source, settings),
  model: subjectOf(session, reference, source, settings),
  profile,
});

/** `recorded`: what holds where no option names another, by default impl, model and the profile lguest. Throws as `subjectOf`. */
export const sidesOf = (flags: SideFlags, session: Session, recorded: RecordedSides | undefined): Sides => {
  const { caseTimeout, startTimeout } = flags;
  const settings = { caseTimeout, startTimeout, allowed: allowedBy(flags) };
  const named = (flag: string, name: string | undefined, otherwise: string): Subject =>
    name === undefined
      ? subjectOf(session, otherwise, recorded?.source ?? flag, settings)
      : subjectOf(session, name, flag, settings);
  return {
    subject: named('--subject', flags.subject, recorded?.subject ?? IMPL.name),
    model: named('--reference', flags.reference, recorded?.reference ?? MODEL.name),
    profile: flags.profile ?? recorded?.profile ?? 'lguest',
  };
};

/** Starts subjects that are not of this package. Throws `BadInput`: call it before anything is written. */
export const startSides = async ({ subject, model }: Pick<Sides, 'subject' | 'model'>): Promise<void> => {
  for (const side of [model, subject]) await side.start?.();
};

/** Starts the sides for these programs. Throws `BadInput` if one of them does not support one. */
export const startSidesFor = async (programs: readonly Program[], source: string, sides: Sides): Promise<void> => {
  await startSides(sides);
  const why = await whyNotRun(programs, [sides.subject, sides.model], sides.profile);
  if (why !== undefined) throw new BadInput(source, `${why}; name another --subject, --reference or --profile`);
};

export const closeSides = async ({ subject, model }: Pick<Sides, 'subject' | 'model'>): Promise<void> => {
  for (const side of [model, subject]) if (side.kind === 'external') await side.close();
};

/** The command line that shows every step of a stored finding. */
export const explainCommand = (file: string, session: Session): string => session.command('explain', pathWord(file));

/** A path that does not pass for an option. */
const pathWord = (file: string): string => (file.startsWith('-') ? `./${file}` : file);

/**
 * The command line that replays a finding, with the time that its run gave a program, in milliseconds. Its parts may come from a file, so
 * none passes for an option.
 */
export const replayCommand = (replay: Replay, caseTimeout: number | undefined, session: Session): string =>
  session.command('replay', ...replayWords(replay, caseTimeout));

/** The command line that makes the program of a stored finding smaller, where it is stored. */
export const shrinkCommand = (replay: Replay, caseTimeout: number | undefined, session: Session): string =>
  session.command('shrink', ...replayWords(replay, caseTimeout), '--write');

const replayWords = ({ file, subject, reference }: Replay, caseTimeout: number | undefined): readonly string[] => [
  pathWord(file),
  ...(subject === undefined ? [] : ['--subject', subject]),
  ...(reference === undefined ? [] : ['--reference', reference]),
  ...((caseTimeout ?? DEFAULT_CASE_TIMEOUT) === DEFAULT_CASE_TIMEOUT ? [] : ['--case-timeout', `${caseTimeout}ms`]),
];

/** The invariants of `--invariant`, in order of precedence; all of them if the option is left out. Throws `BadInput`. */
export const invariantsNamed = (ids: readonly string[] | undefined): readonly Invariant[] => {
  if (ids === undefined) return INVARIANTS;
  for (const id of ids) {
    if (invariantNamed(id) !== undefined) continue;
    throw new BadInput('--invariant', `${JSON.stringify(id)} is not known; see: shadowdiff invariants`);
  }
  return INVARIANTS.filter(({ id }) => ids.includes(id));
};

/** What either kind of subject makes of a whole program. `shadow`: with the shadow tables that a machine of this process shows. */
export const answerOf = async (subject: Subject, program: Program, shadow = false): Promise<Answer> => {
  if (subject.kind === 'external') return await subject.answer(program);
  await subject.start?.();
  return answerOfMachine(subject.create(), program, shadow ? traceWithShadowOf : traceOf);
};
