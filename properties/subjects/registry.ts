/** The names of subjects and references (formats.md, Names). */

import { ShadowMachine } from '../../impl/shadow-machine.js';
import { BadInput, quoted } from '../../model/format/index.js';
import { ReferenceMachine } from '../../model/machine.js';
import { CommandSubject } from './command-subject.js';
import type { InProcessSubject, Subject } from './subject.js';

export const IMPL: InProcessSubject = { kind: 'in-process', name: 'impl', create: () => new ShadowMachine() };
export const MODEL: InProcessSubject = { kind: 'in-process', name: 'model', create: () => new ReferenceMachine() };

export interface SubjectSettings {
  /** How long a subject outside the process may take for one program, in milliseconds. */
  readonly caseTimeout: number;
}

export const SUBJECT_NAMES = 'impl, model, exec:COMMAND LINE';

/** Throws `BadInput` for a name that is none. `where` says who asked, for the message. */
export const subjectNamed = (name: string, where: string, settings: SubjectSettings): Subject => {
  if (name === IMPL.name) return IMPL;
  if (name === MODEL.name) return MODEL;
  if (name.startsWith('exec:')) return new CommandSubject(name.slice('exec:'.length), where, settings.caseTimeout);
  throw new BadInput(where, `there is no subject ${quoted(name)}; use one of: ${SUBJECT_NAMES}`);
};
