import { describe, expect, test } from 'vitest';
import type { GuestEntry, MachineConfig, Op, Paging, Step } from '../../model/vocabulary/index.js';
import { OPS, PAGINGS, guestEntry } from '../../model/vocabulary/index.js';
import { programSeed, randomFor } from '../seeds.js';
import { Draw } from './draw.js';
import type { Field, NumberField } from './fields.js';
import { MACHINE_FIELDS, STEP_FIELDS, holds } from './fields.js';
import { drawMachine } from './hostile-layout.js';
import { drawHostile } from './hostile.js';
import { anyFlags, entryNeighbour, makeNearMisses, neighbourOf } from './neighbours.js';
import { isProgram } from './valid-program.js';

const machineWith = (paging: Paging): MachineConfig => ({
  paging,
  guestPages: 40,
  devicePages: 6,
  hostCpus: 9,
  draw: 1,
  failAllocation: 0,
});

type NamedNumber = readonly [name: string, field: NumberField];

const numbersOf = (owner: string, fields: Readonly<Record<string, Field>>): NamedNumber[] =>
  Object.entries(fields).flatMap(([name, field]): NamedNumber[] =>
    field.kind === 'number' ? [[`${owner}.${name}`, field]] : [],
  );

const NUMBERS = [...OPS.flatMap((op) => numbersOf(op, STEP_FIELDS[op])), ...numbersOf('machine', MACHINE_FIELDS)];
const ENTRIES = OPS.flatMap((op) =>
  Object.entries<Field>(STEP_FIELDS[op]).flatMap(([name, field]) =>
    field.kind === 'entry' ? [[op, name] as const] : [],
  ),
);

const drawFor = (name: string): Draw => new Draw(randomFor(programSeed(name, 0)));

/** Everything that a field should hold beside a value, from its limits alone. */
const expectedBeside = (value: number, field: NumberField, machine: MachineConfig): number[] => {
  const unit = field.unit(machine);
  const beside = (each: number): number[] => [each - unit, each, each + unit];
  const bits = Array.from({ length: 32 }, (_, bit) => Number(BigInt(value) ^ (1n << BigInt(bit))));
  const wraps = [2 ** 8, 2 ** 16, 2 ** 32].flatMap(beside);
  const all = [...beside(value), ...bits, ...wraps, ...field.borders(machine).flatMap(beside)];
  return [...new Set(all)].filter((each) => each !== value && holds(field, each, machine));
};

describe.each(PAGINGS)('%s', (paging) => {
  const machine = machineWith(paging);

  test.each(NUMBERS)('every neighbour of %s is drawn, and nothing that it may not hold', (name, field) => {
    const unit = field.unit(machine);
    const value = Math.max(Math.floor(Math.min(field.most(machine), 0x80001000) / 2 / unit) * unit, field.least);
    const draw = drawFor(name);
    const drawn = new Set(Array.from({ length: 4000 }, () => neighbourOf(draw, value, field, machine)));
    expect([...drawn].filter((each) => !holds(field, each, machine))).toEqual([]);
    expect(expectedBeside(value, field, machine).filter((each) => !drawn.has(each))).toEqual([]);
  });

  test('each bit of an entry is flipped alone', () => {
    const draw = drawFor('entries');
    const entry = guestEntry(0x5067);
    const drawn = Array.from({ length: 20_000 }, () => entryNeighbour(draw, entry, machine));
    const keys = new Set(drawn.map(({ low, high }) => `${high}/${low}`));
    for (let bit = 0; bit < 32; bit++) {
      expect(keys.has(`0/${(entry.low ^ (1 << bit)) >>> 0}`), `bit ${bit}`).toBe(true);
      expect(keys.has(`${(1 << bit) >>> 0}/${entry.low}`), `bit ${bit + 32}`).toBe(paging === 'pae');
    }
  });

  test('an entry is of a page beside its own, and beside the borders of RAM and of the devices', () => {
    const draw = drawFor('pages');
    const pages = new Set(
      Array.from({ length: 2000 }, () => entryNeighbour(draw, guestEntry(0x5067), machine).low >>> 12),
    );
    for (const page of [4, 6, 39, 40, 41, 45, 46, 47]) expect(pages.has(page), `page ${page}`).toBe(true);
  });
});

test('all combinations of the twelve low bits are drawn', () => {
  const draw = drawFor('flags');
  expect(new Set(Array.from({ length: 200_000 }, () => anyFlags(draw))).size).toBe(4096);
});

// In programs.

/** The fields in which a near miss differs from the step that it resembles. */
const changedFields = (one: Step, other: Step): string[] =>
  Object.keys(one).filter(
    (name) => JSON.stringify(one[name as keyof Step]) !== JSON.stringify(other[name as keyof Step]),
  );

test('near misses stay valid, differ in one field from what was drawn, and reach each field that is no word', () => {
  const reached = new Set<string>();
  for (let index = 0; index < 3000; index++) {
    const draw = new Draw(randomFor(programSeed('near misses', index)));
    const machine = drawMachine(draw, PAGINGS[index % 2]);
    const { steps } = drawHostile(draw, machine, { mostSteps: 160, mixture: 'swarm', isLinear: false });
    const drawn = structuredClone(steps);
    makeNearMisses(draw, steps, machine);
    expect(isProgram({ machine, steps })).toBe(true);
    const changed = steps.map((step, at) => changedFields(drawn[at], step).map((name) => `${step.op}.${name}`));
    expect(changed.flat().length).toBeLessThanOrEqual(3);
    for (const name of changed.flat()) reached.add(name);
  }
  const expected = [
    ...NUMBERS.map(([name]) => name).filter((name) => !name.startsWith('machine.')),
    ...ENTRIES.map((each) => each.join('.')),
  ];
  expect(expected.filter((name) => !reached.has(name))).toEqual([]);
});

test.each(PAGINGS)('machines have numbers beside the usual ones, %s', (paging) => {
  const draw = drawFor('machines');
  const machines = Array.from({ length: 40_000 }, () => drawMachine(draw, paging));
  for (const bit of [8, 9, 10, 11]) {
    expect(machines.some(({ guestPages }) => guestPages >>> bit === 1 && guestPages < 2 ** bit + 64)).toBe(true);
    expect(machines.some(({ devicePages }) => devicePages >>> bit === 1)).toBe(true);
  }
  expect(machines.some(({ hostCpus }) => hostCpus > 32 && hostCpus < 64)).toBe(true);
  for (const failing of [255, 256, 257, 65_536, 0xffffffff])
    expect(
      machines.some(({ failAllocation }) => failAllocation === failing),
      `${failing}`,
    ).toBe(true);
});

/** Every combination of flags at a level, in present entries that a program stores. */
test.each(['store', 'set-pte'] as const satisfies readonly Op[])('leaves have every combination of hints: %s', (op) => {
  const combinations = new Set<number>();
  for (let index = 0; index < 2000; index++) {
    const draw = new Draw(randomFor(programSeed('hints', index)));
    const { steps } = drawHostile(draw, machineWith('2-level'), { mostSteps: 160, mixture: 'swarm', isLinear: false });
    for (const step of steps) {
      const entry: GuestEntry | undefined =
        step.op !== op ? undefined : 'value' in step ? step.value : 'pte' in step ? step.pte : undefined;
      if (entry !== undefined && (entry.low & 1) === 1) combinations.add(entry.low & 0xf18);
    }
  }
  expect(combinations.size).toBe(64);
});
