/** Machines by name (formats.md, Names for subjects and references). */

import type { Defect } from '../../impl/defects/defect.js';
import { defectNamed, lguestDefects } from '../../impl/defects/catalogue.js';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import { BadInput, quoted } from '../formats/index.js';
import { ReferenceMachine } from '../../model/machine.js';
import { CommandSubject } from './command-subject.js';
import type { InProcessSubject, Subject } from './subject.js';

/** The machine under test, without any defect. */
export const IMPL: InProcessSubject = { kind: 'in-process', name: 'impl', create: () => new ShadowMachine() };
/** The reference machine. */
export const MODEL: InProcessSubject = { kind: 'in-process', name: 'model', create: () => new ReferenceMachine() };

export interface SubjectSettings {
  /** How long an external subject may take for one program, in milliseconds. */
  readonly caseTimeout: number;
}

export const SUBJECT_NAMES = 'impl, impl:lguest, impl:DEFECT[,DEFECT…], model, exec:COMMAND LINE';

/**
 * The machine with this name, such as `impl:set-pgd-loses-switcher` or `exec:./my-machine`. A command is not started yet. Throws `BadInput`
 * for an unknown name; `where` is the option or file that the name came from, for the message.
 */
export const subjectNamed = (name: string, where: string, settings: SubjectSettings): Subject => {
  if (name === IMPL.name) return IMPL;
  if (name === MODEL.name) return MODEL;
  if (name.startsWith('impl:')) return defective(name, where);
  if (name.startsWith('exec:')) return new CommandSubject(name.slice('exec:'.length), where, settings.caseTimeout);
  throw new BadInput(where, `there is no subject ${quoted(name)}; use one of: ${SUBJECT_NAMES}`);
};

/** The optimized machine with defects planted. */
export const implWith = (name: string, defects: readonly Defect[]): InProcessSubject => ({
  kind: 'in-process',
  name,
  create: () => {
    const machine = new ShadowMachine();
    for (const defect of defects) defect.plant(machine);
    return machine;
  },
});

const defective = (name: string, where: string): InProcessSubject => {
  const ids = name.slice('impl:'.length).split(',');
  return implWith(
    name,
    ids.flatMap((id) => (id === 'lguest' ? lguestDefects() : [defectOrRefuse(id, where)])),
  );
};

const defectOrRefuse = (id: string, where: string): Defect => {
  const defect = defectNamed(id);
  if (defect !== undefined) return defect;
  throw new BadInput(where, `there is no defect ${quoted(id)}; "shadowdiff defects" lists them`);
};
