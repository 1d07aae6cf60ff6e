import { describe, expect, test } from 'vitest';
import type { Paging, ShadowLeaf } from '../model/vocabulary/index.js';
import { PAGINGS, pagingSizes, slot } from '../model/vocabulary/index.js';
import { access, migrate } from '../test-support/steps.js';
import { HostBug } from './host-memory.js';
import { ShadowMachine } from './shadow-machine.js';

const started = (paging: Paging, hostCpus: number): ShadowMachine => {
  const machine = new ShadowMachine();
  machine.create({ paging, guestPages: 16, devicePages: 0, hostCpus, draw: 0, failAllocation: 0 });
  return machine;
};

const window = (machine: ShadowMachine): readonly ShadowLeaf[] => {
  const leaves: ShadowLeaf[] = [];
  machine.shadow.forEachLeaf(slot(0), (leaf) => leaves.push({ ...leaf }));
  return leaves;
};

describe.each(PAGINGS)('%s', (paging) => {
  const base = pagingSizes(paging).switcherAddress;

  test('at first only the text is mapped, read-only', () => {
    const machine = started(paging, 2);
    expect(window(machine)).toMatchObject([{ vaddr: base, target: 'switcher-text', writable: false, user: false }]);
    expect(machine.switcher.isMapped(slot(0))).toBe(true);
    expect(machine.switcher.isMapped(slot(1))).toBe(false);
  });

  test.each([0, 1, 63])('entering on CPU %i maps its two pages and no other’s', (cpu) => {
    const machine = started(paging, 64);
    for (const other of [5, 62, cpu]) {
      machine.apply({ op: 'migrate', cpu: other });
      machine.switcher.enterGuest();
    }
    expect(window(machine)).toMatchObject([
      { vaddr: base, target: 'switcher-text' },
      { vaddr: base + 4096 + 8192 * cpu, target: 'switcher-registers', writable: true, user: false },
      { vaddr: base + 8192 + 8192 * cpu, target: 'switcher-state', page: cpu, writable: false, user: false },
    ]);
    machine.references.takeChanges();
    expect(machine.references.switcher).toMatchObject({ text: 1, registers: 1 });
  });

  test('entering again on the same CPU writes nothing', () => {
    const machine = started(paging, 2);
    machine.switcher.enterGuest();
    const { shadowVersion } = machine.shadow;
    machine.switcher.enterGuest();
    expect(machine.shadow.shadowVersion).toBe(shadowVersion);
  });

  test('to enter a guest without a window breaks the host', () => {
    const machine = started(paging, 1);
    machine.tables.releaseTables(slot(0));
    expect(() => machine.switcher.enterGuest()).toThrow(HostBug);
    expect(machine.apply(access(0)).outcome.kind).toBe('host-bug');
    expect(machine.apply(migrate(0)).outcome).toEqual({ kind: 'halted' });
    expect(machine.destroy().outcome).toEqual({ kind: 'halted' });
  });
});
