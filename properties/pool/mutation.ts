/**
 * Small changes to a program. A changed step may be invalid on its machine, so `repaired` moves its values back into bounds: repairing
 * keeps more of a mutation than rejecting it.
 */

import type { GuestEntry, MachineConfig, Paddr, Program, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, guestEntry, hasFeature, paddr, pagingSizes } from '../../model/vocabulary/index.js';
import type { Draw } from '../generators/draw.js';
import { drawMachine } from '../generators/hostile-layout.js';

/** What mutations draw on: random numbers, and the steps of a program that was just generated. */
export interface Material {
  readonly draw: Draw;
  readonly fresh: readonly Step[];
}

type Mutation = (program: Program, material: Material) => Program;

/** The most steps that one mutation drops, repeats, inserts or replaces. */
const MOST_STEPS = 8;
const MOST_CHANGES = 4;
/** Bits 0–11 of an entry are its flags, where a single bit matters most. */
const FLAG_BITS = 12;

interface Span {
  readonly start: number;
  readonly count: number;
}

const drawSpan = (draw: Draw, steps: readonly Step[]): Span => {
  const start = draw.below(steps.length + 1);
  return { start, count: Math.min(draw.between(1, MOST_STEPS), steps.length - start) };
};

const drawSlice = (draw: Draw, steps: readonly Step[]): readonly Step[] => {
  const { start, count } = drawSpan(draw, steps);
  return steps.slice(start, start + count);
};

const withSteps = ({ machine }: Program, steps: readonly Step[]): Program => ({ machine, steps });

const drop: Mutation = (program, { draw }) => {
  const { start, count } = drawSpan(draw, program.steps);
  return withSteps(program, program.steps.toSpliced(start, count));
};

const repeat: Mutation = (program, { draw }) => {
  const slice = drawSlice(draw, program.steps);
  return withSteps(program, program.steps.toSpliced(draw.below(program.steps.length + 1), 0, ...slice));
};

const swap: Mutation = (program, { draw }) => {
  const steps = [...program.steps];
  if (steps.length < 2) return program;
  const [one, other] = [draw.below(steps.length), draw.below(steps.length)];
  [steps[one], steps[other]] = [steps[other], steps[one]];
  return withSteps(program, steps);
};

const insert: Mutation = (program, { draw, fresh }) =>
  withSteps(program, program.steps.toSpliced(draw.below(program.steps.length + 1), 0, ...drawSlice(draw, fresh)));

const replace: Mutation = (program, { draw, fresh }) => {
  const { start, count } = drawSpan(draw, program.steps);
  return withSteps(program, program.steps.toSpliced(start, count, ...drawSlice(draw, fresh)));
};

/** Copies fields from other steps of the same kind, or flips bits. */
const alter: Mutation = (program, { draw, fresh }) => {
  if (program.steps.length === 0) return program;
  const steps = [...program.steps];
  const all = [...steps, ...fresh];
  for (let left = draw.between(1, MOST_STEPS); left > 0; left--) {
    const index = draw.below(steps.length);
    steps[index] = altered(steps[index], all, draw);
  }
  return withSteps(program, steps);
};

const altered = (step: Step, all: readonly Step[], draw: Draw): Step => {
  if (step.op === 'store' && draw.bits(1) === 0) return { ...step, value: flipped(step.value, draw) };
  if (step.op === 'set-pte' && draw.bits(1) === 0) return { ...step, pte: flipped(step.pte, draw) };
  const fields = Object.keys(step).filter((field) => field !== 'op') as readonly (keyof Step)[];
  const field = draw.pick(fields);
  const value: unknown = step[field];
  if (typeof value === 'number' && draw.bits(1) === 0) {
    return { ...step, [field]: ((value ^ (1 << draw.below(32))) >>> 0) as never };
  }
  const donor = draw.pick(all.filter(({ op }) => op === step.op));
  // Steps of one kind have fields of one type.
  return { ...step, [field]: donor[field] } as Step;
};

const flipped = ({ low, high }: GuestEntry, draw: Draw): GuestEntry =>
  guestEntry((low ^ (1 << draw.below(FLAG_BITS))) >>> 0, high);

/** Replaces one of the machine's settings by that of a newly drawn machine. */
const resize: Mutation = ({ machine, steps }, { draw }) => {
  const other = drawMachine(draw, machine.paging);
  const size = draw.pick(['guestPages', 'devicePages', 'hostCpus', 'draw', 'failAllocation'] as const);
  return { machine: { ...machine, [size]: other[size] }, steps };
};

const MUTATIONS: readonly Mutation[] = [drop, repeat, swap, insert, replace, resize, alter, alter, alter, alter];

/** The program after one to four mutations. */
export const mutated = (program: Program, material: Material): Program => {
  const { draw } = material;
  let changed = program;
  for (let left = draw.between(1, MOST_CHANGES); left > 0; left--) changed = draw.pick(MUTATIONS)(changed, material);
  return changed;
};

/** The head of one program and the tail of another. */
export const spliced = ({ machine, steps }: Program, other: readonly Step[], draw: Draw): Program => ({
  machine,
  steps: [...steps.slice(0, draw.below(steps.length + 1)), ...other.slice(draw.below(other.length + 1))],
});

/** The same steps, each valid on the machine (formats.md, Program); valid steps stay as they are. */
export const repaired = ({ machine, steps }: Program): Program => ({
  machine,
  steps: steps.map((step) => repairStep(step, machine)),
});

const repairStep = (step: Step, machine: MachineConfig): Step => {
  switch (step.op) {
    case 'store':
      return { ...step, paddr: repairWord(step.paddr, machine), value: repairEntry(step.value, machine) };
    case 'new-pgtable':
    case 'set-pgd':
      return { ...step, root: repairRoot(step.root, machine) };
    case 'set-pte':
      return { ...step, root: repairRoot(step.root, machine), pte: repairEntry(step.pte, machine) };
    case 'migrate':
      return { ...step, cpu: step.cpu % machine.hostCpus };
    case 'protect':
      return { ...step, page: step.page % machine.guestPages };
    case 'access':
      return step.kind === 'execute' && !hasFeature(machine, 'no-execute') ? { ...step, kind: 'read' } : step;
    case 'init':
    case 'flush-tlb':
    case 'set-stack':
    case 'set-pmd':
    case 'guest-pa':
    case 'fail-alloc':
      return step;
    default:
      return step satisfies never;
  }
};

const alignedDown = (address: number, unit: number): Paddr => paddr(address - (address % unit));

const repairWord = (address: number, { paging, guestPages }: MachineConfig): Paddr =>
  alignedDown(address % (guestPages * PAGE_BYTES), pagingSizes(paging).entryBytes);

const repairRoot = (root: number, { paging }: MachineConfig): Paddr =>
  alignedDown(root, pagingSizes(paging).rootAlignment);

const repairEntry = (entry: GuestEntry, { paging }: MachineConfig): GuestEntry =>
  paging === 'pae' || entry.high === 0 ? entry : guestEntry(entry.low, 0);
