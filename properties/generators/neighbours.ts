/**
 * Values beside meaningful ones. A mask one bit too short, a comparison off by one, or a number kept in too narrow a type shows only at
 * such values, and generators that draw from a layout never make them. A near miss is a step or a machine with one
 * field set to a neighbour of what the generator drew.
 */

import type { GuestEntry, MachineConfig, Op, Step } from '../../model/vocabulary/index.js';
import { OPS, guestEntry } from '../../model/vocabulary/index.js';
import { FLAGS, P, PSE, entryOnPage, pageOf } from '../entry-bits.js';
import type { Draw } from './draw.js';
import type { EntryField, Field, NumberField } from './fields.js';
import { MACHINE_FIELDS, STEP_FIELDS, holds } from './fields.js';

// Numbers.

/** Draws a neighbour of one kind, which the field may hold or not. */
type Beside = (draw: Draw, value: number, field: NumberField, machine: MachineConfig) => number;

const KINDS: readonly Beside[] = [
  (draw, value, field, machine) => value + (2 * draw.bits(1) - 1) * field.unit(machine),
  // A high bit: the same value in every type that is too narrow for the bit; in an address, another table, quadrant or half.
  (draw, value) => (value ^ (1 << draw.bits(5))) >>> 0,
  // Where a narrower counter or index wraps.
  (draw, _, field, machine) => draw.pick(WRAPS) + draw.between(-1, 1) * field.unit(machine),
  (draw, _, field, machine) => draw.pick(field.borders(machine)) + draw.between(-1, 1) * field.unit(machine),
];

const WRAPS: readonly number[] = [2 ** 8, 2 ** 16, 2 ** 32];

/** Fields with narrow limits seldom hold what is drawn. */
const MOST_TRIES = 8;

/** Another value that the field may hold, beside this one or beside a border. Rarely, if none was found, the value itself. */
export const neighbourOf = (draw: Draw, value: number, field: NumberField, machine: MachineConfig): number => {
  for (let tries = MOST_TRIES; tries > 0; tries--) {
    const beside = draw.pick(KINDS)(draw, value, field, machine);
    // V8 keeps a whole number that was computed as a double apart from an integer, and one of them slows down all that meet it.
    if (beside !== value && holds(field, beside, machine)) return beside >>> 0;
  }
  return value;
};

// Entries.

const FLAG_BITS = 12;
const WORD_BITS = 32;

/** Any twelve low bits, mostly those of a present leaf that is no large page. */
export const anyFlags = (draw: Draw): number => {
  const flags = draw.bits(FLAG_BITS);
  return draw.bits(2) === 0 ? flags : (flags | P) & ~PSE;
};

/** The entry with one bit off, with other flags, or with a page beside its own or beside the border of RAM or of the devices. */
export const entryNeighbour = (draw: Draw, entry: GuestEntry, machine: MachineConfig): GuestEntry => {
  const { low, high } = entry;
  switch (draw.below(5)) {
    case 0:
      return guestEntry(low ^ (1 << draw.below(FLAG_BITS)), high);
    case 1:
      return guestEntry((low & ~FLAGS) | anyFlags(draw), high);
    case 2:
      return guestEntry(low ^ (1 << draw.below(WORD_BITS)), high);
    case 3:
      return machine.paging === 'pae' ? guestEntry(low, high ^ (1 << draw.below(WORD_BITS))) : entry;
    default:
      return onPageBeside(draw, entry, machine);
  }
};

const onPageBeside = (
  draw: Draw,
  entry: GuestEntry,
  { paging, guestPages, devicePages }: MachineConfig,
): GuestEntry => {
  const page = draw.pick([pageOf(entry), guestPages, guestPages + devicePages]) + draw.between(-1, 1);
  const { low, high } = entryOnPage(entry, Math.max(page, 0));
  return guestEntry(low, paging === 'pae' ? high : 0);
};

// Steps and machines.

type NearMissFields = readonly (readonly [name: string, field: NumberField | EntryField])[];

const nearMissFields = (fields: Readonly<Record<string, Field>>): NearMissFields =>
  Object.entries(fields).filter(
    (each): each is [string, NumberField | EntryField] => each[1].kind === 'number' || each[1].kind === 'entry',
  );

const FIELDS_BY_OP = Object.fromEntries(OPS.map((op) => [op, nearMissFields(STEP_FIELDS[op])])) as Readonly<
  Record<Op, NearMissFields>
>;
const FIELDS_OF_MACHINE = nearMissFields(MACHINE_FIELDS);

/**
 * Sets one field to a neighbour of its value. It changes the object instead of copying it: V8 gives copies another hidden class, and code
 * that reads both kinds is slower.
 */
const missOneField = (draw: Draw, fields: NearMissFields, object: object, machine: MachineConfig): void => {
  const [name, field] = draw.pick(fields);
  const values = object as Record<string, unknown>;
  const value = values[name];
  values[name] =
    field.kind === 'entry'
      ? entryNeighbour(draw, value as GuestEntry, machine)
      : neighbourOf(draw, value as number, field, machine);
};

/** Sets one number of a machine that nothing else uses yet to a neighbour. */
export const makeNearMachine = (draw: Draw, machine: MachineConfig): void =>
  missOneField(draw, FIELDS_OF_MACHINE, machine, machine);

/** Makes one to three steps that nothing else uses yet near misses of themselves. */
export const makeNearMisses = (draw: Draw, steps: readonly Step[], machine: MachineConfig): void => {
  for (let left = draw.between(1, 3); left > 0; left--) {
    const step = someStep(draw, steps);
    if (step !== undefined) missOneField(draw, FIELDS_BY_OP[step.op], step, machine);
  }
};

/** A step that has a field with neighbours. Accesses and stores outnumber all others, so they are mostly passed over. */
const someStep = (draw: Draw, steps: readonly Step[]): Step | undefined => {
  for (let tries = MOST_TRIES; tries > 0 && steps.length > 0; tries--) {
    const step = draw.pick(steps);
    const isCommon = step.op === 'access' || step.op === 'store';
    if (FIELDS_BY_OP[step.op].length > 0 && (!isCommon || draw.bits(3) === 0)) return step;
  }
  return undefined;
};
