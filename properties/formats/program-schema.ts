/** The shape of a program in JSON (formats.md, Program). Keys stand in the order in which they are written. */

import * as z from 'zod/mini';
import type { MachineConfig, Step } from '../../model/vocabulary/index.js';
import { MACHINE_BOUNDS, OPS, PAGINGS } from '../../model/vocabulary/index.js';
import { choice, exactObject, hexEntry, hexPaddr, hexVaddr, list, u32, unionError, wholeNumber } from './fields.js';

export const PROGRAM_FORMAT = 'shadowdiff-program/1';

const bounded = ({ least, most }: { readonly least: number; readonly most: number }) => wholeNumber(least, most);

const machineSchema = exactObject({
  paging: choice(PAGINGS),
  guestPages: bounded(MACHINE_BOUNDS.guestPages),
  devicePages: bounded(MACHINE_BOUNDS.devicePages),
  hostCpus: bounded(MACHINE_BOUNDS.hostCpus),
  draw: u32,
  failAllocation: u32,
}) satisfies z.core.$ZodType<MachineConfig>;

/** Steps are read one at a time, each by `stepSchema`. */
export const programSchema = exactObject({ format: choice([PROGRAM_FORMAT]), machine: machineSchema, steps: list });

/** What can be said of a step without its machine; the rest is in program-bounds.ts. */
export const stepSchema = z.discriminatedUnion(
  'op',
  [
    exactObject({ op: z.literal('store'), paddr: hexPaddr, value: hexEntry }),
    exactObject({ op: z.literal('init'), kernelAddress: hexVaddr }),
    exactObject({ op: z.literal('new-pgtable'), root: hexPaddr, draw: u32 }),
    exactObject({ op: z.literal('flush-tlb'), scope: choice(['all', 'user']) }),
    exactObject({ op: z.literal('set-stack'), esp: hexVaddr, pages: u32 }),
    exactObject({ op: z.literal('set-pmd'), pmd: hexPaddr, index: u32 }),
    exactObject({ op: z.literal('set-pte'), root: hexPaddr, vaddr: hexVaddr, pte: hexEntry }),
    exactObject({ op: z.literal('set-pgd'), root: hexPaddr, index: u32 }),
    exactObject({
      op: z.literal('access'),
      vaddr: hexVaddr,
      kind: choice(['read', 'write']),
      mode: choice(['user', 'kernel']),
    }),
    exactObject({ op: z.literal('guest-pa'), vaddr: hexVaddr }),
    exactObject({ op: z.literal('migrate'), cpu: u32 }),
    exactObject({ op: z.literal('fail-alloc'), count: u32 }),
    exactObject({ op: z.literal('protect'), page: u32, access: choice(['none', 'read', 'write']) }),
  ],
  { error: unionError('op', OPS) },
) satisfies z.core.$ZodType<Step>;

/** A step as JSON holds it. */
export type StepJson = z.input<typeof stepSchema>;

/** A program as JSON holds it. */
export interface ProgramJson {
  readonly format: typeof PROGRAM_FORMAT;
  readonly machine: MachineConfig;
  readonly steps: readonly StepJson[];
}
