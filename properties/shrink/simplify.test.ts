import { describe, expect, test } from 'vitest';
import type { Step } from '../../model/vocabulary/index.js';
import {
  access,
  failAlloc,
  flushTlb,
  guestPa,
  init,
  migrate,
  newPgtable,
  protect,
  setPte,
  setStack,
  store,
} from '../../test-support/steps.js';
import { permuteSlots, simplifyMachine } from './simplify-machine.js';
import { simplifyEntries, simplifySteps } from './simplify-steps.js';
import { programOf, smallestAfter } from '../../test-support/smallest-after.js';

const anything = (): boolean => true;

describe('a smaller machine', () => {
  test('one CPU, no devices, no draw, as little RAM as the steps allow', async () => {
    const program = programOf([migrate(3), store(0x2000, 0)], {
      draw: 7,
      failAllocation: 5,
      features: ['write-protect-off'],
    });
    const { machine, steps } = await smallestAfter(simplifyMachine, program, anything);
    const { features: _, ...plain } = machine;
    expect(machine).toEqual({ ...plain, guestPages: 3, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 });
    expect(steps[0]).toEqual(migrate(0));
  });

  test('as many CPUs as have names', async () => {
    const program = programOf([migrate(3), migrate(0)]);
    const needsTwo = ({ steps }: { readonly steps: readonly Step[] }): boolean =>
      new Set(steps.map((step) => (step.op === 'migrate' ? step.cpu : 0))).size === 2;
    const { machine, steps } = await smallestAfter(simplifyMachine, program, needsTwo);
    expect(machine.hostCpus).toBe(2);
    expect(steps).toEqual([migrate(1), migrate(0)]);
  });

  test('pages of a device stay on it when RAM shrinks', async () => {
    const onDevice = programOf([store(0, 66 * 4096 + 1)]);
    const small = await smallestAfter(simplifyMachine, onDevice, ({ machine, steps: [step] }) => {
      const page = step?.op === 'store' ? step.value.low >>> 12 : 0;
      return page >= machine.guestPages && page < machine.guestPages + machine.devicePages;
    });
    expect(small.machine).toMatchObject({ guestPages: 1, devicePages: 1 });
    expect(small.steps).toEqual([store(0, 0x1001)]);
  });
});

describe('simpler values', () => {
  test('of every kind of step', async () => {
    const odd: Step[] = [
      init(0x812345),
      newPgtable(0x5000, 77),
      flushTlb('user'),
      setStack(0x1234567, 2),
      access(0x400123, 'write', 'user'),
      guestPa(0x400123),
      protect(9, 'read'),
      failAlloc(900),
    ];
    const sameKinds = ({ steps }: { readonly steps: readonly Step[] }): boolean =>
      steps.every((step, index) => step.op === odd[index].op);
    const { steps } = await smallestAfter(simplifySteps, programOf(odd), sameKinds);
    expect(steps).toEqual([
      init(),
      newPgtable(0),
      flushTlb('all'),
      { op: 'set-stack', esp: 0, pages: 0 },
      access(0),
      { op: 'guest-pa', vaddr: 0 },
      protect(0, 'write'),
      failAlloc(0),
    ]);
  });

  test('bits go that are not needed, the reserved ones first', async () => {
    const program = programOf([store(0x8, 0x5fff, 0xfff)], { paging: 'pae' });
    const writable = await smallestAfter(simplifySteps, program, ({ steps: [step] }) => {
      return step?.op === 'store' && (step.value.low & 0x9) === 0x9;
    });
    expect(writable.steps).toEqual([store(0, 0x9)]);
  });

  test('a kind that does more than is needed gives way', async () => {
    const { steps } = await smallestAfter(simplifySteps, programOf([setPte(0, 0, 0x21)]), anything);
    expect(steps).toEqual([flushTlb('all')]);
  });

  test('an entry stays the same where it is stored and where it is announced', async () => {
    const program = programOf([store(0, 0x2067), setPte(0, 0, 0x2067)]);
    const { steps } = await smallestAfter(simplifyEntries, program, ({ steps: [one, other] }) => {
      return one?.op === 'store' && other?.op === 'set-pte' && one.value.low === other.pte.low;
    });
    expect(steps).toEqual([store(0, 0), setPte(0, 0, 0)]);
  });
});

describe('slots', () => {
  test('only which draws are the same matters, and the first is the lowest', async () => {
    const program = programOf([newPgtable(0, 0xfffffff7), newPgtable(0x1000, 2), newPgtable(0, 6)]);
    const small = await smallestAfter(permuteSlots, program, ({ steps }) => {
      const draws = steps.map((step) => (step.op === 'new-pgtable' ? step.draw % 4 : 0));
      return draws[0] !== draws[1] && draws[1] === draws[2];
    });
    expect(small.steps.map((step) => 'draw' in step && step.draw)).toEqual([1, 0, 0]);
  });
});
