import { describe, expect, test } from 'vitest';
import type { MachineConfig, Step } from '../model/vocabulary/index.js';
import { OPS, PAGINGS, ZERO_ENTRY, guestEntry, paddr, pagingSizes } from '../model/vocabulary/index.js';
import {
  access,
  failAlloc,
  flushTlb,
  guestPa,
  init,
  machineOf,
  migrate,
  newPgtable,
  protect,
  setPgd,
  setPte,
  setStack,
  store,
} from '../test-support/steps.js';
import { GuestRecord } from './guest-record.js';
import { ZERO_OBSERVATION } from './trace-of.js';

const machine = (changed: Partial<MachineConfig> = {}): MachineConfig =>
  machineOf({ guestPages: 4, devicePages: 1, hostCpus: 2, ...changed });

const begun = (changed: Partial<MachineConfig> = {}): GuestRecord => {
  const guest = new GuestRecord();
  guest.begin(machine(changed));
  return guest;
};

const INIT: Step = init();
const ROOT: Step = newPgtable(0x1000, 3);

describe('what the guest announced', () => {
  test('at first is nothing', () => {
    const guest = begun();
    const { initialized, linear, root, kernelAddress, stackTop, stackPages, cpu } = guest;
    expect({ initialized, linear, root, kernelAddress, stackTop, stackPages, cpu }).toEqual({
      initialized: false,
      linear: true,
      root: undefined,
      kernelAddress: 0,
      stackTop: 0,
      stackPages: 0,
      cpu: 0,
    });
  });

  test('is taken down step by step', () => {
    const guest = begun();
    guest.follow(INIT);
    expect([guest.initialized, guest.linear, guest.kernelAddress]).toEqual([true, true, 0xc0000000]);
    guest.follow(ROOT);
    expect([guest.linear, guest.root]).toEqual([false, 0x1000]);
    guest.follow(setStack(0xc0002000, 2));
    expect([guest.stackTop, guest.stackPages]).toEqual([0xc0002000, 2]);
    guest.follow(migrate(1));
    expect(guest.cpu).toBe(1);
  });

  test('a root named before init leaves linear mode on: the call kills', () => {
    const guest = begun();
    guest.follow(ROOT);
    expect(guest.linear).toBe(true);
  });

  test('other steps announce nothing that is kept', () => {
    const quiet: readonly Step[] = [
      flushTlb('all'),
      { op: 'set-pmd', pmd: paddr(0), index: 0 },
      setPte(0, 0, 0x1067),
      setPgd(0, 0),
      access(0, 'write', 'user'),
      guestPa(0),
      failAlloc(1),
      protect(0, 'none'),
    ];
    const told = ['store', 'init', 'new-pgtable', 'set-stack', 'migrate'];
    expect([...quiet.map(({ op }) => op), ...told].sort()).toEqual([...OPS].sort());
    const guest = begun();
    for (const step of quiet) guest.follow(step);
    expect(guest).toEqual(begun());
  });

  test('stack pages are counted down from the top, and wrap', () => {
    const guest = begun();
    guest.follow(setStack(0x1800, 2));
    expect([guest.stackPage(0), guest.stackPage(1)]).toEqual([0x17ff, 0x7ff]);
    guest.follow(setStack(0, 2));
    expect([guest.stackPage(0), guest.stackPage(1)]).toEqual([0xffffffff, 0xffffefff]);
  });
});

describe.each(PAGINGS)('guest RAM in %s paging', (paging) => {
  const bytes = pagingSizes(paging).entryBytes;
  const value = guestEntry(0x5067, paging === 'pae' ? 0x80000001 : 0);

  test('is zero until somebody writes', () => {
    const guest = begun({ paging });
    expect(guest.word(paddr(0x1000))).toBe(ZERO_ENTRY);
    expect(guest.writtenAddresses).toEqual([]);
    expect(guest.sizes).toBe(pagingSizes(paging));
  });

  test('holds what the guest and the hypervisor wrote, the last one last', () => {
    const guest = begun({ paging });
    guest.follow({ op: 'store', paddr: paddr(0x1000), value });
    guest.follow(store(0x1000 + bytes, 7));
    expect([guest.word(paddr(0x1000)), guest.word(paddr(0x1000 + bytes))]).toEqual([value, guestEntry(7)]);
    const stores = [{ paddr: paddr(0x1000), value: guestEntry(0x20) }];
    guest.absorb({ ...ZERO_OBSERVATION, outcome: { kind: 'ok' }, stores });
    expect(guest.word(paddr(0x1000))).toEqual(guestEntry(0x20));
    expect(guest.writtenAddresses).toEqual([0x1000, 0x1000 + bytes]);
    const around = [0x1000 - bytes, 0x1000, 0x1000 + bytes, 0x1000 + 2 * bytes];
    expect(around.map((address) => guest.wasWritten(paddr(address)))).toEqual([false, true, true, false]);
  });

  test('reaches to its last word', () => {
    const guest = begun({ paging });
    const last = 4 * 4096 - bytes;
    guest.follow({ op: 'store', paddr: paddr(last), value });
    expect(guest.word(paddr(last))).toEqual(value);
    expect([last, 4 * 4096 - 1, 4 * 4096].map((address) => guest.inRam(address))).toEqual([true, true, false]);
  });

  test('is blank again in the next program, whose RAM may be larger', () => {
    const guest = begun({ paging });
    guest.follow(INIT);
    guest.follow(ROOT);
    guest.follow({ op: 'store', paddr: paddr(0x1000), value });
    guest.follow(setStack(0x1800, 2));
    guest.follow(migrate(1));
    const larger = machine({ paging, guestPages: 4096 });
    guest.begin(larger);
    expect(guest.word(paddr(0x1000))).toBe(ZERO_ENTRY);
    expect(guest.writtenAddresses).toEqual([]);
    const { initialized, linear, stackPages, cpu } = guest;
    expect({ initialized, linear, stackPages, cpu }).toEqual({
      initialized: false,
      linear: true,
      stackPages: 0,
      cpu: 0,
    });
    const last = paddr(4096 * 4096 - bytes);
    guest.follow({ op: 'store', paddr: last, value });
    guest.begin(machine({ paging }));
    guest.begin(larger);
    expect(guest.word(last)).toBe(ZERO_ENTRY);
  });
});
