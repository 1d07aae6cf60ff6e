/** Whether a value is a valid program (formats.md, Program). Shrinking checks every candidate, so this must be fast. */

import type { MachineConfig, Op, Program, Step } from '../../model/vocabulary/index.js';
import { MACHINE_BOUNDS, PAGE_BYTES, PAGINGS, pagingSizes } from '../../model/vocabulary/index.js';

type Check = (value: unknown, machine: MachineConfig) => boolean;

const isWhole = (value: unknown, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;

const isU32 = (value: unknown): value is number => isWhole(value, 0, 0xffffffff);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);

const isRoot: Check = (value, { paging }) => isU32(value) && value % pagingSizes(paging).rootAlignment === 0;

const isWordInRam: Check = (value, { paging, guestPages }) =>
  isWhole(value, 0, guestPages * PAGE_BYTES - 1) && value % pagingSizes(paging).entryBytes === 0;

const isEntry: Check = (value, { paging }) =>
  isRecord(value) && isU32(value.low) && isU32(value.high) && (paging === 'pae' || value.high === 0);

/** The fields of each kind of step besides `op`. */
const FIELDS: { readonly [Name in Op]: Readonly<Record<Exclude<keyof (Step & { op: Name }), 'op'>, Check>> } = {
  store: { paddr: isWordInRam, value: isEntry },
  init: { kernelAddress: isU32 },
  'new-pgtable': { root: isRoot, draw: isU32 },
  'flush-tlb': { scope: oneOf('all', 'user') },
  'set-stack': { esp: isU32, pages: isU32 },
  'set-pmd': { pmd: isU32, index: isU32 },
  'set-pte': { root: isRoot, vaddr: isU32, pte: isEntry },
  'set-pgd': { root: isRoot, index: isU32 },
  access: { vaddr: isU32, kind: oneOf('read', 'write'), mode: oneOf('user', 'kernel') },
  'guest-pa': { vaddr: isU32 },
  migrate: { cpu: (value, { hostCpus }) => isWhole(value, 0, hostCpus - 1) },
  'fail-alloc': { count: isU32 },
  protect: {
    page: (value, { guestPages }) => isWhole(value, 0, guestPages - 1),
    access: oneOf('none', 'read', 'write'),
  },
};

const CHECKS = new Map<unknown, readonly (readonly [string, Check])[]>(
  Object.entries(FIELDS).map(([op, fields]) => [op, Object.entries<Check>(fields)]),
);

const isStep = (value: unknown, machine: MachineConfig): value is Step => {
  if (!isRecord(value)) return false;
  const checks = CHECKS.get(value.op);
  return checks !== undefined && checks.every(([field, check]) => check(value[field], machine));
};

const isMachine = (value: unknown): value is MachineConfig => {
  if (!isRecord(value)) return false;
  const { paging, guestPages, devicePages, hostCpus, draw, failAllocation } = value;
  const within = (size: unknown, name: keyof typeof MACHINE_BOUNDS): boolean =>
    isWhole(size, MACHINE_BOUNDS[name].least, MACHINE_BOUNDS[name].most);
  return (
    oneOf(...PAGINGS)(paging, value as unknown as MachineConfig) &&
    within(guestPages, 'guestPages') &&
    within(devicePages, 'devicePages') &&
    within(hostCpus, 'hostCpus') &&
    isU32(draw) &&
    isU32(failAllocation)
  );
};

/** Within all bounds of formats.md, Program. */
export const isProgram = (value: unknown): value is Program => {
  if (!isRecord(value)) return false;
  const { machine, steps } = value;
  return isMachine(machine) && Array.isArray(steps) && steps.every((step) => isStep(step, machine));
};

/** The same steps on simpler machines, where they are valid. */
export const smallerMachines = ({ machine, steps }: Program): Program[] => {
  const simpler: MachineConfig[] = [];
  if (machine.failAllocation > 0) simpler.push({ ...machine, failAllocation: 0 });
  if (machine.devicePages > 0) simpler.push({ ...machine, devicePages: 0 });
  if (machine.hostCpus > 1) simpler.push({ ...machine, hostCpus: 1 });
  if (machine.hostCpus > 2) simpler.push({ ...machine, hostCpus: 2 });
  if (machine.draw > 3) simpler.push({ ...machine, draw: machine.draw % 4 });
  if (machine.draw > 0) simpler.push({ ...machine, draw: 0 });
  for (let pages = 1; pages < machine.guestPages; pages *= 2) simpler.push({ ...machine, guestPages: pages });
  return simpler.map((candidate): Program => ({ machine: candidate, steps })).filter(isProgram);
};
