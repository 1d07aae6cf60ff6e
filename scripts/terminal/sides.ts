/** The two machines of a run: found by name, started and closed. */

import type { SubjectSettings } from '../../properties/subjects/subject-names.js';
import { IMPL, MODEL, subjectNamed } from '../../properties/subjects/subject-names.js';
import type { Subject } from '../../properties/subjects/subject.js';
import type { Session } from './session.js';

/** Milliseconds. */
export const DEFAULT_CASE_TIMEOUT = 5000;

export interface CaseTimeoutFlag {
  /** Milliseconds that a subject outside this process may take for one program. */
  readonly caseTimeout: number;
}

export interface SideFlags extends CaseTimeoutFlag {
  readonly subject?: string;
  readonly reference?: string;
}

export interface Sides {
  readonly subject: Subject;
  readonly model: Subject;
}

/** Throws `BadInput` for an unknown name; `where` is the option or file it came from. */
export const subjectOf = ({ surroundings }: Session, name: string, where: string, settings: SubjectSettings): Subject =>
  (surroundings.subjectNamed ?? subjectNamed)(name, where, settings);

/** `recorded`: the sides where no option names any, by default impl and model. Throws `BadInput` for an unknown name. */
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
    model: named('--reference', flags.reference, recorded?.reference ?? MODEL.name),
  };
};

/** Starts subjects that run outside this process. Throws `BadInput`: call it before anything is written. */
export const startSides = async ({ subject, model }: Sides): Promise<void> => {
  for (const side of [model, subject]) if (side.kind === 'external') await side.start();
};

export const closeSides = async ({ subject, model }: Sides): Promise<void> => {
  for (const side of [model, subject]) if (side.kind === 'external') await side.close();
};
