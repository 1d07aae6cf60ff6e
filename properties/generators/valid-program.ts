/** Whether a value is a valid program (formats.md, Program). Shrinking checks every candidate, so this must be fast. */

import type { Feature, MachineConfig, Program, Step } from '../../model/vocabulary/index.js';
import type { Field } from './fields.js';
import { MACHINE_FIELDS, STEP_FIELDS, holds, wordsOf } from './fields.js';

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isU32 = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff;

const isEntry = (value: unknown, { paging }: MachineConfig): boolean =>
  isRecord(value) && isU32(value.low) && isU32(value.high) && (paging === 'pae' || value.high === 0);

/** At least one of the words, each once and in their order. */
const isSome = (value: unknown, words: readonly string[]): boolean =>
  Array.isArray(value) && value.length > 0 && words.filter((word) => value.includes(word)).join() === value.join();

const fits = (field: Field, value: unknown, machine: MachineConfig): boolean => {
  switch (field.kind) {
    case 'word':
      return typeof value === 'string' && wordsOf(field, machine).includes(value);
    case 'words':
      return value === undefined || isSome(value, field.words);
    case 'number':
      return holds(field, value, machine);
    case 'entry':
      return isEntry(value, machine);
    default:
      return field satisfies never;
  }
};

type NamedFields = readonly (readonly [name: string, field: Field])[];

const FIELDS_BY_OP = new Map<unknown, NamedFields>(
  Object.entries(STEP_FIELDS).map(([op, fields]) => [op, Object.entries<Field>(fields)]),
);
const FIELDS_OF_MACHINE: NamedFields = Object.entries(MACHINE_FIELDS);

const isStep = (value: unknown, machine: MachineConfig): value is Step => {
  if (!isRecord(value)) return false;
  const fields = FIELDS_BY_OP.get(value.op);
  return fields !== undefined && fields.every(([name, field]) => fits(field, value[name], machine));
};

const isMachine = (value: unknown): value is MachineConfig =>
  isRecord(value) &&
  FIELDS_OF_MACHINE.every(([name, field]) => fits(field, value[name], value as unknown as MachineConfig));

/** Within all bounds of formats.md, Program. */
export const isProgram = (value: unknown): value is Program => {
  if (!isRecord(value)) return false;
  const { machine, steps } = value;
  return isMachine(machine) && Array.isArray(steps) && steps.every((step) => isStep(step, machine));
};

export const withoutFeature = ({ features = [], ...plain }: MachineConfig, feature: Feature): MachineConfig => {
  const left = features.filter((each) => each !== feature);
  return left.length === 0 ? plain : { ...plain, features: left };
};

/** The same steps on simpler machines, where they are valid. */
export const smallerMachines = ({ machine, steps }: Program): Program[] => {
  const simpler: MachineConfig[] = [];
  for (const feature of machine.features ?? []) simpler.push(withoutFeature(machine, feature));
  if (machine.failAllocation > 0) simpler.push({ ...machine, failAllocation: 0 });
  if (machine.devicePages > 0) simpler.push({ ...machine, devicePages: 0 });
  if (machine.hostCpus > 1) simpler.push({ ...machine, hostCpus: 1 });
  if (machine.hostCpus > 2) simpler.push({ ...machine, hostCpus: 2 });
  if (machine.draw > 3) simpler.push({ ...machine, draw: machine.draw % 4 });
  if (machine.draw > 0) simpler.push({ ...machine, draw: 0 });
  for (let pages = 1; pages < machine.guestPages; pages *= 2) simpler.push({ ...machine, guestPages: pages });
  return simpler.map((candidate): Program => ({ machine: candidate, steps })).filter(isProgram);
};
