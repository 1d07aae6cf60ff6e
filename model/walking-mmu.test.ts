/** Against the manual: Intel SDM, volume 3A, chapter "Paging", sections 4.3, 4.4, 4.6, 4.7 and 4.8. */

import { describe, expect, test } from 'vitest';
import type { AccessKind, AccessMode, MachineConfig, Observation, Paging, Step } from './vocabulary/index.js';
import { guestEntry, OPS, PAGINGS, vaddr } from './vocabulary/index.js';
import { init, newPgtable, store } from '../test-support/steps.js';
import { WalkingMmu } from './walking-mmu.js';

const P = 0x1;
const RW = 0x2;
const US = 0x4;
const A = 0x20;
const D = 0x40;
const ALL = P | RW | US;

const configOf = (paging: Paging): MachineConfig => {
  return { paging, guestPages: 64, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 };
};

/** Entry 3 of each table on the way leads to ADDRESS; the root is page 1, the PAE middle table page 2, the leaf table page 3, the data page 5. */
const ADDRESS = { '2-level': 0x00c03abc, pae: 0xc0603abc } as const;
const ENTRY = {
  '2-level': { root: 0x100c, leaf: 0x300c },
  pae: { root: 0x1018, middle: 0x2018, leaf: 0x3018 },
} as const;

/** The entry above the leaf that has rights. */
const UPPER = { '2-level': ENTRY['2-level'].root, pae: ENTRY.pae.middle } as const;

interface Flags {
  readonly upper: number;
  readonly leaf: number;
  /** PAE alone. */
  readonly top?: number;
}

const running = (paging: Paging, { upper, leaf, top = P }: Flags): WalkingMmu => {
  const mmu = new WalkingMmu();
  mmu.create(configOf(paging));
  if (paging === 'pae') mmu.apply(store(ENTRY.pae.root, 0x2000 | top));
  mmu.apply(store(UPPER[paging], 0x3000 | upper));
  mmu.apply(store(ENTRY[paging].leaf, 0x5000 | leaf));
  mmu.apply(newPgtable(0x1000));
  return mmu;
};

const touch = (mmu: WalkingMmu, address: number, kind: AccessKind, mode: AccessMode): Observation =>
  mmu.apply({ op: 'access', vaddr: vaddr(address), kind, mode });

const storesOf = ({ stores }: Observation): readonly (readonly [number, number])[] =>
  stores.map(({ paddr: at, value }) => [at, value.low] as const);

const ACCESSES = [
  ['read', 'kernel', 0],
  ['write', 'kernel', 2],
  ['read', 'user', 4],
  ['write', 'user', 6],
] as const;

describe.each(PAGINGS)('a walk in %s', (paging) => {
  test('goes where the entries lead, with the offset in the page', () => {
    const { outcome } = touch(running(paging, { upper: ALL, leaf: ALL }), ADDRESS[paging], 'read', 'user');
    expect(outcome).toEqual({ kind: 'mapped', paddr: 0x5abc });
  });

  test.each([
    ['no entry of the root', { upper: 0, leaf: ALL }],
    ['no leaf', { upper: ALL, leaf: 0 }],
    ['a leaf with all bits but P', { upper: ALL, leaf: RW | US | A | D }],
  ])('with %s faults with P = 0, whatever was asked', (_name, flags) => {
    for (const [kind, mode, code] of ACCESSES) {
      const found = touch(running(paging, flags), ADDRESS[paging], kind, mode);
      expect([found.outcome, storesOf(found)]).toEqual([{ kind: 'fault', code }, []]);
    }
  });

  // 4.6.1 and 4.7, with CR0.WP = 1: the AND of R/W and of U/S over the levels.
  for (const upper of [0, RW, US, RW | US]) {
    for (const leaf of [0, RW, US, RW | US]) {
      for (const [kind, mode, asked] of ACCESSES) {
        const writable = (upper & leaf & RW) !== 0;
        const user = (upper & leaf & US) !== 0;
        const granted = (kind === 'read' || writable) && (mode === 'kernel' || user);
        const name = `${mode} ${kind} with rights ${upper} above ${leaf}`;
        test(`${name} ${granted ? 'goes through' : 'faults with P = 1'}`, () => {
          const mmu = running(paging, { upper: P | upper, leaf: P | leaf });
          const found = touch(mmu, ADDRESS[paging], kind, mode);
          const expected = granted ? { kind: 'mapped', paddr: 0x5abc } : { kind: 'fault', code: asked | 1 };
          expect(found.outcome).toEqual(expected);
          const marked = P | leaf | A | (kind === 'write' ? D : 0);
          const stores = [
            [UPPER[paging], 0x3000 | P | upper | A],
            [ENTRY[paging].leaf, 0x5000 | marked],
          ];
          expect(storesOf(found)).toEqual(granted ? stores : []);
        });
      }
    }
  }

  test('sets A and D once, D at the first write, and again once the guest has cleared them (4.8)', () => {
    const mmu = running(paging, { upper: ALL, leaf: ALL });
    const { leaf } = ENTRY[paging];
    const stores = (kind: AccessKind) => storesOf(touch(mmu, ADDRESS[paging], kind, 'user'));
    expect(stores('read')).toEqual([
      [UPPER[paging], 0x3000 | ALL | A],
      [leaf, 0x5000 | ALL | A],
    ]);
    expect(stores('read')).toEqual([]);
    expect(stores('write')).toEqual([[leaf, 0x5000 | ALL | A | D]]);
    expect(stores('write')).toEqual([]);
    mmu.apply(store(leaf, 0x5000 | ALL));
    expect(stores('write')).toEqual([[leaf, 0x5000 | ALL | A | D]]);
    mmu.apply(store(UPPER[paging], 0x3000 | ALL));
    expect(stores('read')).toEqual([[UPPER[paging], 0x3000 | ALL | A]]);
  });

  test('sees every store at once: there is nothing to announce', () => {
    const mmu = running(paging, { upper: ALL, leaf: ALL });
    touch(mmu, ADDRESS[paging], 'write', 'user');
    mmu.apply(store(ENTRY[paging].leaf, 0x6000 | P));
    expect(touch(mmu, ADDRESS[paging], 'write', 'kernel').outcome).toEqual({ kind: 'fault', code: 3 });
    expect(touch(mmu, ADDRESS[paging], 'read', 'kernel').outcome).toEqual({ kind: 'mapped', paddr: 0x6abc });
  });

  test('before CR3 is loaded every address is its own, and the supervisor’s', () => {
    const mmu = new WalkingMmu();
    mmu.create(configOf(paging));
    expect(mmu.apply(init()).outcome.kind).toBe('initialized');
    expect(touch(mmu, 0x7123, 'write', 'kernel').outcome).toEqual({ kind: 'mapped', paddr: 0x7123 });
    expect(touch(mmu, 0x7123, 'write', 'user').outcome).toEqual({ kind: 'fault', code: 7 });
  });

  test('the window at the top is not the guest’s', () => {
    const mmu = running(paging, { upper: ALL, leaf: ALL });
    expect(touch(mmu, 0xfffff000, 'read', 'kernel').outcome).toEqual({ kind: 'fault', code: 0 });
  });

  test('another program begins with empty RAM', () => {
    const mmu = running(paging, { upper: ALL, leaf: ALL });
    mmu.create(configOf(paging));
    mmu.apply(newPgtable(0x1000));
    expect(touch(mmu, ADDRESS[paging], 'read', 'user').outcome).toEqual({ kind: 'fault', code: 4 });
  });

  test('what no CPU has is refused', () => {
    const mmu = running(paging, { upper: ALL, leaf: ALL });
    const vast = { pages: 0, esp: 0, vaddr: 0, cpu: 0, count: 0, page: 0, access: 'write', root: 0, draw: 0, index: 0 };
    const refused = OPS.filter((op) => {
      try {
        mmu.apply({ op, ...vast, paddr: 0, value: guestEntry(0) } as unknown as Step);
        return false;
      } catch {
        return true;
      }
    });
    expect(refused).toEqual(['set-stack', 'guest-pa', 'migrate', 'fail-alloc', 'protect']);
  });
});

describe('the PAE root', () => {
  test('has neither rights nor A (4.4.1, table 4-8)', () => {
    const found = touch(running('pae', { upper: ALL | A, leaf: ALL | A | D }), ADDRESS.pae, 'write', 'user');
    expect([found.outcome.kind, storesOf(found)]).toEqual(['mapped', []]);
  });

  test('has four entries, by bits 30 and 31', () => {
    const mmu = running('pae', { upper: ALL, leaf: ALL });
    for (const top of [0, 1, 2]) {
      const address = ADDRESS.pae - 2 ** 30 * (3 - top);
      expect(touch(mmu, address, 'read', 'kernel').outcome).toEqual({ kind: 'fault', code: 0 });
      mmu.apply(store(0x1000 + 8 * top, 0x2000 | P));
      expect(touch(mmu, address, 'read', 'kernel').outcome).toEqual({ kind: 'mapped', paddr: 0x5abc });
    }
  });
});
