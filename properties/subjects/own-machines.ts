/** The machines of this package by name: they run in this process, and in a page. */

import type { Defect } from '../../impl/defects/defect.js';
import { defectNamed, lguestDefects } from '../../impl/defects/catalogue.js';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import { ReferenceMachine } from '../../model/machine.js';
import type { Machine } from '../../model/vocabulary/index.js';
import { FEATURES } from '../../model/vocabulary/index.js';
import { WalkingMmu } from '../../model/walking-mmu.js';
import { BadInput, quoted } from '../formats/index.js';
import { capabilitiesOfCpu } from './capabilities.js';
import type { InProcessSubject } from './subject.js';

/** The machine under test, without any defect. */
export const IMPL: InProcessSubject = { kind: 'in-process', name: 'impl', create: () => new ShadowMachine() };
/** The reference machine. */
export const MODEL: InProcessSubject = { kind: 'in-process', name: 'model', create: () => new ReferenceMachine() };

/** A machine that shows what a CPU does, for the profile `architecture` alone (machine.md 6). */
export const mmu = (name: string, create: () => Machine): InProcessSubject => ({
  kind: 'in-process',
  name,
  start: () => Promise.resolve(capabilitiesOfCpu(name, FEATURES)),
  create,
});

/** A CPU's paging with nothing cached. */
export const WALK = mmu('walk', () => new WalkingMmu());

/** The machine of this package with this name; undefined for any other name, which may run something. Throws `BadInput` for an unknown defect. */
export const ownMachine = (name: string, where: string): InProcessSubject | undefined => {
  if (name === IMPL.name) return IMPL;
  if (name === MODEL.name) return MODEL;
  if (name === WALK.name) return WALK;
  return name.startsWith('impl:') ? defective(name, where) : undefined;
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
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new BadInput(where, `the defect ${quoted(twice)} is named twice; name it once`);
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
