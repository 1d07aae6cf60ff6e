/**
 * Every valid step and program, built from fast-check's own combinators. Slow to generate from, but it shrinks any stored program
 * whatever generated it.
 */

import fc from 'fast-check';
import type { GuestEntry, MachineConfig, Paddr, Program, Step, Vaddr } from '../../model/vocabulary/index.js';
import {
  MACHINE_BOUNDS,
  PAGE_BYTES,
  PAGINGS,
  guestEntry,
  paddr,
  pagingSizes,
  vaddr,
} from '../../model/vocabulary/index.js';

const U32_MOST = 0xffffffff;

/** Records with the ordinary prototype, like the steps of a stored program. */
const record = <T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

const u32 = fc.integer({ min: 0, max: U32_MOST });

/** Reads a stored value back. A value that is no number becomes NaN, which every range rejects; throwing would be slow. */
const numberFrom = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

const anyVaddr: fc.Arbitrary<Vaddr> = u32.map(vaddr, numberFrom);

/** Multiples of `unit` from 0 to `most`. */
const alignedPaddr = (unit: number, most: number): fc.Arbitrary<Paddr> =>
  fc.integer({ min: 0, max: Math.floor(most / unit) }).map(
    (index) => paddr(index * unit),
    // A misaligned address gets a fractional index, which the range rejects.
    (address) => numberFrom(address) / unit,
  );

const anyEntry = (machine: MachineConfig): fc.Arbitrary<GuestEntry> =>
  record<{ low: number; high: number }>({
    low: u32,
    high: machine.paging === 'pae' ? u32 : fc.constant(0),
  }).map(
    ({ low, high }) => guestEntry(low, high),
    (entry) => entry as { low: number; high: number },
  );

/** Any step that is valid on this machine (formats.md, Program). */
export const anyStep = (machine: MachineConfig): fc.Arbitrary<Step> => {
  const sizes = pagingSizes(machine.paging);
  const root = alignedPaddr(sizes.rootAlignment, U32_MOST);
  const entry = anyEntry(machine);
  const wordInRam = alignedPaddr(sizes.entryBytes, machine.guestPages * PAGE_BYTES - sizes.entryBytes);
  const kind = fc.constantFrom('read' as const, 'write' as const);
  const mode = fc.constantFrom('kernel' as const, 'user' as const);
  const scope = fc.constantFrom('all' as const, 'user' as const);
  const protection = fc.constantFrom('write' as const, 'read' as const, 'none' as const);
  return fc.oneof(
    record<Step & { op: 'store' }>({ op: fc.constant('store'), paddr: wordInRam, value: entry }),
    record<Step & { op: 'init' }>({ op: fc.constant('init'), kernelAddress: anyVaddr }),
    record<Step & { op: 'new-pgtable' }>({ op: fc.constant('new-pgtable'), root, draw: u32 }),
    record<Step & { op: 'flush-tlb' }>({ op: fc.constant('flush-tlb'), scope }),
    record<Step & { op: 'set-stack' }>({ op: fc.constant('set-stack'), esp: anyVaddr, pages: u32 }),
    record<Step & { op: 'set-pmd' }>({ op: fc.constant('set-pmd'), pmd: u32.map(paddr, numberFrom), index: u32 }),
    record<Step & { op: 'set-pte' }>({ op: fc.constant('set-pte'), root, vaddr: anyVaddr, pte: entry }),
    record<Step & { op: 'set-pgd' }>({ op: fc.constant('set-pgd'), root, index: u32 }),
    record<Step & { op: 'access' }>({ op: fc.constant('access'), vaddr: anyVaddr, kind, mode }),
    record<Step & { op: 'guest-pa' }>({ op: fc.constant('guest-pa'), vaddr: anyVaddr }),
    record<Step & { op: 'migrate' }>({ op: fc.constant('migrate'), cpu: fc.nat(machine.hostCpus - 1) }),
    record<Step & { op: 'fail-alloc' }>({ op: fc.constant('fail-alloc'), count: u32 }),
    record<Step & { op: 'protect' }>({
      op: fc.constant('protect'),
      page: fc.nat(machine.guestPages - 1),
      access: protection,
    }),
  );
};

/** Independent steps: they shrink stored programs. */
export const anySteps = (machine: MachineConfig, mostSteps?: number): fc.Arbitrary<Step[]> =>
  fc.array(anyStep(machine), mostSteps === undefined ? {} : { maxLength: mostSteps });

const within = ({ least, most }: { readonly least: number; readonly most: number }): fc.Arbitrary<number> =>
  fc.integer({ min: least, max: most });

const anyMachine: fc.Arbitrary<MachineConfig> = record<MachineConfig>({
  paging: fc.constantFrom(...PAGINGS),
  guestPages: within(MACHINE_BOUNDS.guestPages),
  devicePages: within(MACHINE_BOUNDS.devicePages),
  hostCpus: within(MACHINE_BOUNDS.hostCpus),
  draw: u32,
  failAllocation: u32,
});

/** Programs whose steps hardly ever affect each other: the baseline that the arranged generators must beat. */
export const uniformProgram: fc.Arbitrary<Program> = anyMachine.chain((machine) =>
  anySteps(machine).map((steps): Program => ({ machine, steps })),
);
