import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReferenceMachine } from '../model/machine.js';
import type { AccessKind, AccessMode, MachineConfig, Outcome, Paging, Step } from '../model/vocabulary/index.js';
import { PAGINGS, bareOutcome, guestEntry, killedFor, paddr, pagingSizes, vaddr } from '../model/vocabulary/index.js';
import { machineOf } from '../test-support/steps.js';
import { LGUEST_TRAFFICS, programArbitrary } from './generators/index.js';
import { GuestRecord } from './guest-record.js';
import { accessed, dirty, pageOf, uncachedAccess, uncachedPhysical, uncachedWalk } from './uncached-walk.js';

const machine = (paging: Paging): MachineConfig => machineOf({ paging, guestPages: 16, devicePages: 2 });

type Word = readonly [address: number, low: number, high?: number];

/** A guest that runs on the root at `root`; `undefined` leaves it in linear mode. */
const guestWith = (paging: Paging, root: number | undefined, words: readonly Word[]): GuestRecord => {
  const guest = new GuestRecord();
  guest.begin(machine(paging));
  guest.follow({ op: 'init', kernelAddress: vaddr(0xc0000000) });
  for (const [address, low, high] of words) {
    guest.follow({ op: 'store', paddr: paddr(address), value: guestEntry(low, high) });
  }
  if (root !== undefined) guest.follow({ op: 'new-pgtable', root: paddr(root), draw: 0 });
  return guest;
};

/** Root in page 1 (PAE: at 0x1020), middle table in page 2 (PAE only), leaf table in page 3; they map 0x40000000 on. */
const ROOT = { '2-level': 0x1000, pae: 0x1020 };
const TOP = { '2-level': 0x1000 + 4 * 0x100, pae: 0x1020 + 8 };
const UPPER = { '2-level': TOP['2-level'], pae: 0x2000 };
const LEAF = { '2-level': 0x3000, pae: 0x3000 };
const ADDRESS = vaddr(0x40000abc);

interface Tables {
  readonly top?: Word;
  /** Replaces the lowest upper entry: the top one in 2-level, the middle one in PAE. */
  readonly upper?: readonly [low: number, high?: number];
  readonly leaf?: readonly [low: number, high?: number];
}

const guestOf = (paging: Paging, { top, upper = [0x3007], leaf = [0x5007] }: Tables): GuestRecord => {
  const tops: readonly Word[] = paging === 'pae' ? [[TOP.pae, 0x2001]] : [];
  return guestWith(paging, ROOT[paging], [
    ...tops,
    [UPPER[paging], ...upper],
    [LEAF[paging], ...leaf],
    ...(top === undefined ? [] : [top]),
  ]);
};

const outcome = (paging: Paging, tables: Tables, kind: AccessKind = 'read', mode: AccessMode = 'kernel'): Outcome =>
  uncachedAccess(guestOf(paging, tables), ADDRESS, kind, mode);

const killed = killedFor;
const fault = (code: number): Outcome => ({ kind: 'fault', code });
const MAPPED: Outcome = { kind: 'mapped', paddr: paddr(0x5abc) };
const BAD_UPPER = { '2-level': 'bad page directory entry', pae: 'bad page middle directory entry' };

describe.each(PAGINGS)('a walk in %s paging', (paging) => {
  test('finds the page, and the offset in it', () => {
    for (const kind of ['read', 'write'] as const) {
      for (const mode of ['user', 'kernel'] as const) expect(outcome(paging, {}, kind, mode)).toEqual(MAPPED);
    }
  });

  test('finds the leaf where it lies, with the rights of all levels', () => {
    expect(uncachedWalk(guestOf(paging, { leaf: [0x5065] }), ADDRESS)).toEqual({
      kind: 'leaf',
      writable: false,
      user: true,
      executable: true,
      bytes: 4096,
      entry: guestEntry(0x5065),
      at: LEAF[paging],
    });
  });

  test.each([
    [0x3007, 0x5005, [0, 3, 0, 7]],
    [0x3007, 0x5003, [0, 0, 5, 7]],
    [0x3005, 0x5007, [0, 3, 0, 7]],
    [0x3003, 0x5007, [0, 0, 5, 7]],
    [0x3001, 0x5001, [0, 3, 5, 7]],
    [0x3005, 0x5003, [0, 3, 5, 7]],
  ])('rights are the AND over upper %o and leaf %o', (upper, leaf, codes) => {
    const asked = (['kernel', 'user'] as const).flatMap((mode) =>
      (['read', 'write'] as const).map((kind) => outcome(paging, { upper: [upper], leaf: [leaf] }, kind, mode)),
    );
    expect(asked).toEqual(codes.map((code) => (code === 0 ? MAPPED : fault(code))));
  });

  test('an entry that is not present faults, whatever else it says', () => {
    expect(outcome(paging, { leaf: [0xfffff086] }, 'write', 'user')).toEqual(fault(6));
    expect(outcome(paging, { upper: [0xfffff086] }, 'read', 'user')).toEqual(fault(4));
    expect(outcome(paging, { leaf: [0] }, 'read', 'kernel')).toEqual(fault(0));
  });

  test.each([0x8, 0x10, 0x80, 0x100, 0x200, 0x400, 0x800])('an upper entry with bit %i kills', (bit) => {
    expect(outcome(paging, { upper: [0x3007 | bit] })).toEqual(killed(BAD_UPPER[paging]));
  });

  test('an upper entry may be accessed and dirty, and must lie in RAM', () => {
    expect(outcome(paging, { upper: [0x3067] })).toEqual(MAPPED);
    expect(outcome(paging, { upper: [0x10007] })).toEqual(killed(BAD_UPPER[paging]));
    expect(outcome(paging, { upper: [0xf007] })).toEqual(fault(0));
  });

  test('a leaf behind RAM is the device’s, and behind that it kills', () => {
    expect(outcome(paging, { leaf: [0xf007] })).toEqual({ kind: 'mapped', paddr: 0xfabc });
    expect(outcome(paging, { leaf: [0x10007] })).toEqual({ kind: 'mmio', paddr: 0x10abc });
    expect(outcome(paging, { leaf: [0x11007] }, 'write', 'user')).toEqual({ kind: 'mmio', paddr: 0x11abc });
    expect(outcome(paging, { leaf: [0x12007] })).toEqual(killed('bad page table entry'));
  });

  test('rights are asked before the page is looked at', () => {
    expect(outcome(paging, { leaf: [0x10005] }, 'write')).toEqual(fault(3));
    expect(outcome(paging, { leaf: [0xfffff003] }, 'read', 'user')).toEqual(fault(5));
  });

  test('a large leaf kills, in RAM and on the device', () => {
    expect(outcome(paging, { leaf: [0x5087] })).toEqual(killed('bad page table entry'));
    expect(outcome(paging, { leaf: [0x10087] })).toEqual(killed('bad page table entry'));
    expect(outcome(paging, { leaf: [0x5f67] })).toEqual(MAPPED);
  });

  test('the Switcher’s addresses fault, present bit and all', () => {
    const top = pagingSizes(paging).switcherAddress;
    const guest = guestOf(paging, {});
    for (const address of [top, vaddr(0xffffffff)]) {
      expect(uncachedAccess(guest, address, 'write', 'user')).toEqual(fault(6));
      expect(uncachedAccess(guest, address, 'read', 'kernel')).toEqual(fault(0));
    }
    expect(uncachedAccess(guest, vaddr(top - 1), 'read', 'kernel')).toEqual(fault(0));
  });

  test('in linear mode every address is its own, for the kernel', () => {
    const guest = guestWith(paging, undefined, []);
    expect(uncachedAccess(guest, vaddr(0x5abc), 'write', 'kernel')).toEqual(MAPPED);
    expect(uncachedAccess(guest, vaddr(0x5abc), 'write', 'user')).toEqual(fault(7));
    expect(uncachedAccess(guest, vaddr(0x11fff), 'read', 'kernel')).toEqual({ kind: 'mmio', paddr: 0x11fff });
    expect(uncachedAccess(guest, vaddr(0x12000), 'read', 'kernel')).toEqual(killed('bad page table entry'));
    expect(uncachedWalk(guest, vaddr(0x5abc))).toMatchObject({
      kind: 'leaf',
      entry: guestEntry(0x5003),
      at: undefined,
    });
    expect(uncachedPhysical(guest, vaddr(0xdeadbeef)).outcome).toEqual({ kind: 'physical', paddr: 0xdeadbeef });
  });

  test('a root outside RAM kills, and names the word', () => {
    const bytes = pagingSizes(paging).entryBytes;
    const guest = guestWith(paging, 0x10000, []);
    const at = 0x10000 + (paging === 'pae' ? 8 : 0x400);
    expect(uncachedAccess(guest, ADDRESS, 'read', 'kernel')).toEqual(
      killed(`bad read address 0x${at.toString(16)} len ${bytes}`),
    );
    expect(uncachedPhysical(guest, ADDRESS).outcome).toEqual(
      killed(`bad read address 0x${at.toString(16)} len ${bytes}`),
    );
  });
});

describe('a physical address', () => {
  test.each(PAGINGS)('asks for presence alone (%s)', (paging) => {
    const physical = (tables: Tables): Outcome => uncachedPhysical(guestOf(paging, tables), ADDRESS).outcome;
    expect(physical({})).toEqual({ kind: 'physical', paddr: 0x5abc });
    expect(physical({ leaf: [0xfffff381] })).toEqual({ kind: 'physical', paddr: 0xfffffabc });
    expect(physical({ upper: [0x3f99] })).toEqual({ kind: 'physical', paddr: 0x5abc });
    expect(physical({ leaf: [0x5006] })).toEqual(killed('Bad address 0x40000abc'));
    expect(physical({ upper: [0x3006] })).toEqual(killed('Bad address 0x40000abc'));
    const bytes = pagingSizes(paging).entryBytes;
    expect(physical({ upper: [0x10001] })).toEqual(killed(`bad read address 0x10000 len ${bytes}`));
  });

  test('is cut to 32 bits at every level of PAE', () => {
    expect(uncachedPhysical(guestOf('pae', { leaf: [0x5001, 0xffffffff] }), ADDRESS).outcome).toEqual({
      kind: 'physical',
      paddr: 0x5abc,
    });
    expect(uncachedPhysical(guestOf('pae', { upper: [0x3001, 7] }), ADDRESS).outcome).toEqual({
      kind: 'physical',
      paddr: 0x5abc,
    });
  });

  test('of the first page and of none at all', () => {
    const guest = guestWith('2-level', 0x1000, []);
    expect(uncachedPhysical(guest, vaddr(0)).outcome).toEqual(killed('Bad address 0'));
  });
});

describe('entries of PAE', () => {
  test.each([0x2, 0x4, 0x20, 0x40, 0x80, 0x100, 0x800])('a top entry with bit %i kills', (bit) => {
    expect(outcome('pae', { top: [TOP.pae, 0x2001 | bit] })).toEqual(killed('bad page directory entry'));
  });

  test('all bits from 12 up are the page of an upper entry', () => {
    for (const high of [1, 0x1000, 0x80000000]) {
      expect(outcome('pae', { top: [TOP.pae, 0x2001, high] })).toEqual(killed('bad page directory entry'));
      expect(outcome('pae', { upper: [0x3007, high] })).toEqual(killed('bad page middle directory entry'));
    }
  });

  test('the top entry has no rights', () => {
    expect(outcome('pae', {}, 'write', 'user')).toEqual(MAPPED);
  });

  test('a leaf with a reserved bit or a page of more than 32 bits kills', () => {
    for (const high of [1, 0xfff, 0x1000, 0x80000000]) {
      expect(outcome('pae', { leaf: [0x5007, high] })).toEqual(killed('bad page table entry'));
      expect(outcome('pae', { leaf: [0x10007, high] })).toEqual(killed('bad page table entry'));
    }
  });

  test('the four top entries cover the address space', () => {
    for (const index of [0, 1, 2, 3]) {
      const words: Word[] = [[0x1020 + 8 * index, 0x2001]];
      words.push([0x2000 + 8 * 0x1fe, 0x3007], [0x3000 + 8 * 0x1ff, 0x5007]);
      const guest = guestWith('pae', 0x1020, words);
      const address = vaddr(index * 2 ** 30 + 0x1fe * 2 ** 21 + 0x1ff * 2 ** 12 + 0xabc);
      expect(uncachedAccess(guest, address, 'read', 'kernel')).toEqual(MAPPED);
      expect(uncachedAccess(guest, vaddr(address - 4096), 'read', 'kernel')).toEqual(fault(0));
    }
  });
});

test('bits of an entry', () => {
  const readings = [0x20, 0x40, 0x60, 0x19f].map((low) => [accessed(guestEntry(low)), dirty(guestEntry(low))]);
  expect(readings).toEqual([
    [true, false],
    [false, true],
    [true, true],
    [false, false],
  ]);
  expect(pageOf(guestEntry(0xffffffff))).toBe(2 ** 20 - 1);
  expect(pageOf(guestEntry(0xffffffff, 0xffffffff))).toBe(2 ** 52 - 1);
});

describe.each(PAGINGS)('the model’s fresh walk in %s paging', (paging) => {
  test.each(LGUEST_TRAFFICS)('gives what the uncached walk gives, %s traffic', (traffic) => {
    const compared = { access: 0, stale: 0, 'guest-pa': 0 };
    const model = new ReferenceMachine();
    const guest = new GuestRecord();
    const programs = programArbitrary({ paging, traffic });
    fc.assert(
      fc.property(programs, ({ program: { machine, steps } }) => {
        guest.begin(machine);
        if (model.create(machine).outcome.kind !== 'created') return;
        for (const step of steps) {
          guest.follow(step);
          const expected = uncachedOutcome(guest, step);
          const observation = model.apply(step);
          expect(observation.fresh).toEqual(expected);
          guest.absorb(observation);
          if (bareOutcome(observation.outcome.kind)) return;
          if (step.op === 'access' || step.op === 'guest-pa') compared[step.op]++;
          if (step.op === 'access' && !isDeepStrictEqual(observation.outcome, expected)) compared.stale++;
        }
      }),
      { seed: 8, numRuns: 150, endOnFailure: true },
    );
    expect(compared.access).toBeGreaterThan(500);
    expect(compared['guest-pa']).toBeGreaterThan(10);
    // A guest that keeps its contract never sees what is stale.
    if (traffic === 'coherent') expect(compared.stale).toBe(0);
    else expect(compared.stale).toBeGreaterThan(10);
  });
});

const uncachedOutcome = (guest: GuestRecord, step: Step): Outcome | undefined => {
  if (step.op === 'access') return uncachedAccess(guest, step.vaddr, step.kind, step.mode);
  return step.op === 'guest-pa' ? uncachedPhysical(guest, step.vaddr).outcome : undefined;
};
