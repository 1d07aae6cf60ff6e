/**
 * Every valid step and program, built from fast-check's own combinators. Slow to generate from, but it shrinks any stored program
 * whatever generated it.
 */

import fc from 'fast-check';
import type { GuestEntry, MachineConfig, Op, Program, Step } from '../../model/vocabulary/index.js';
import { OPS, guestEntry } from '../../model/vocabulary/index.js';
import type { EntryField, NumberField, WordField } from './fields.js';
import { MACHINE_FIELDS, STEP_FIELDS, wordsOf } from './fields.js';

/** Records with the ordinary prototype, like the steps of a stored program. */
const record = <T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

/** Reads a stored value back. A value that is no number becomes NaN, which every range rejects; throwing would be slow. */
const numberFrom = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

const anyNumber = (field: NumberField, machine: MachineConfig): fc.Arbitrary<number> => {
  const unit = field.unit(machine);
  return fc.integer({ min: Math.ceil(field.least / unit), max: Math.floor(field.most(machine) / unit) }).map(
    (index) => index * unit,
    // A value that is no multiple gets a fractional index, which the range rejects.
    (value) => numberFrom(value) / unit,
  );
};

const U32 = fc.integer({ min: 0, max: 0xffffffff });

const anyEntry = ({ paging }: MachineConfig): fc.Arbitrary<GuestEntry> =>
  record<{ low: number; high: number }>({ low: U32, high: paging === 'pae' ? U32 : fc.constant(0) }).map(
    ({ low, high }) => guestEntry(low, high),
    (entry) => entry as { low: number; high: number },
  );

type StepField = WordField | NumberField | EntryField;

const anyValue = (field: StepField, machine: MachineConfig): fc.Arbitrary<unknown> => {
  switch (field.kind) {
    case 'word':
      return fc.constantFrom(...wordsOf(field, machine));
    case 'number':
      return anyNumber(field, machine);
    case 'entry':
      return anyEntry(machine);
    default:
      return field satisfies never;
  }
};

const valuesOf = (
  fields: Readonly<Record<string, StepField>>,
  machine: MachineConfig,
): Record<string, fc.Arbitrary<unknown>> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, anyValue(field, machine)]));

const stepOf = (op: Op, machine: MachineConfig): fc.Arbitrary<Step> =>
  record({ op: fc.constant(op), ...valuesOf(STEP_FIELDS[op], machine) }) as fc.Arbitrary<Step>;

/** Any step that is valid on this machine (formats.md, Program). */
export const anyStep = (machine: MachineConfig): fc.Arbitrary<Step> =>
  fc.oneof(...OPS.map((op) => stepOf(op, machine)));

/** Independent steps: they shrink stored programs. */
export const anySteps = (machine: MachineConfig, mostSteps?: number): fc.Arbitrary<Step[]> =>
  fc.array(anyStep(machine), mostSteps === undefined ? {} : { maxLength: mostSteps });

/** The limits of a machine's numbers are the same on every machine. */
const SOME_MACHINE: MachineConfig = {
  paging: '2-level',
  guestPages: 1,
  devicePages: 0,
  hostCpus: 1,
  draw: 0,
  failAllocation: 0,
};
const { features: _, ...PLAIN_MACHINE } = MACHINE_FIELDS;
const anyMachine = record(valuesOf(PLAIN_MACHINE, SOME_MACHINE)) as unknown as fc.Arbitrary<MachineConfig>;

/** Programs whose steps hardly ever affect each other: the baseline that the arranged generators must beat. */
export const uniformProgram: fc.Arbitrary<Program> = anyMachine.chain((machine) =>
  anySteps(machine).map((steps): Program => ({ machine, steps })),
);
