import { expect, test } from 'vitest';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import type { Op, Program } from '../../model/vocabulary/index.js';
import { PAGINGS } from '../../model/vocabulary/index.js';
import { machineFor, mixedPrograms, openingOf, rootNumber, STEPS_A_PROGRAM, touchAll } from './plain-guest.js';

const PROGRAMS = 200;

/** How the counted steps end, each as its kind and its outcome's. */
const endsOf = (programs: readonly Program[]): ReadonlyMap<string, number> => {
  const machine = new ShadowMachine();
  const ends = new Map<string, number>();
  for (const { machine: config, steps } of programs) {
    machine.create(config);
    for (const [index, step] of steps.entries()) {
      const { outcome } = machine.apply(step);
      const end = `${step.op} ${outcome.kind}`;
      if (index >= steps.length - STEPS_A_PROGRAM) ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    machine.destroy();
  }
  return ends;
};

test.each(PAGINGS)('nobody dies of the mix, and every access is mapped: %s', (paging) => {
  const ends = endsOf(mixedPrograms(paging, PROGRAMS));
  const percent = (op: Op): number => (ends.get(`${op} ok`) ?? 0) / PROGRAMS;
  expect([...ends.keys()].toSorted()).toEqual([
    'access mapped',
    'flush-tlb ok',
    'new-pgtable ok',
    'set-pgd ok',
    'set-pte ok',
  ]);
  expect(Math.abs(percent('new-pgtable') - 6)).toBeLessThan(1);
  expect(Math.abs(percent('set-pte') - 25)).toBeLessThan(2);
  expect(Math.abs(percent('flush-tlb') + percent('set-pgd') - 12)).toBeLessThan(2);
});

test.each(PAGINGS.flatMap((paging) => [16, 64, 1024, 4096].map((mapped) => ({ paging, mapped }))))(
  'a guest with $mapped pages maps them all: $paging',
  ({ paging, mapped }) => {
    const size = { paging, guestPages: mapped, mapped };
    const machine = new ShadowMachine();
    machine.create(machineFor(size));
    for (const step of openingOf(size)) machine.apply(step);
    machine.apply({ op: 'new-pgtable', root: rootNumber(0), draw: 0 });
    expect(touchAll(size).every((touch) => machine.apply(touch).outcome.kind === 'mapped')).toBe(true);
  },
);
