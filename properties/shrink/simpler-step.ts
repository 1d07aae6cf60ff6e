/** Simpler steps in the place of one: with smaller values, or of a simpler kind. */

import type { Paddr, Program, Step, Vaddr } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, SLOTS, paddr, pagingSizes, vaddr } from '../../model/vocabulary/index.js';
import { USUAL_KERNEL_ADDRESS } from './measure.js';
import { pagesUsed } from './rename-pages.js';
import { pageOfAddress, rootOf } from './roles.js';
import { simplerEntries } from './simpler-entry.js';

/** What a program names elsewhere. */
interface Names {
  readonly roots: readonly Paddr[];
  readonly vaddrs: readonly Vaddr[];
  readonly pages: readonly number[];
  readonly program: Program;
}

/** Candidates for the step at `index`, simplest first; the caller keeps only what makes the program smaller. */
export const simplerSteps = (program: Program, index: number): Step[] => {
  const { steps } = program;
  const step = steps[index];
  const names: Names = {
    roots: distinct([0, ...steps.map(rootOf).filter((root) => root !== undefined)]).map(paddr),
    vaddrs: distinct(steps.flatMap((each) => ('vaddr' in each ? [each.vaddr] : []))),
    pages: distinct([0, ...pagesUsed(program)]),
    program,
  };
  return [...otherKinds(step), ...smallerValues(step, names)];
};

const distinct = <Value extends number>(values: readonly Value[]): Value[] =>
  [...new Set(values)].sort((one, other) => one - other);

/** Steps of a simpler kind that have part of the same effect. */
const otherKinds = (step: Step): Step[] => {
  switch (step.op) {
    case 'set-stack':
      return [{ op: 'access', vaddr: vaddr(step.esp - 1), kind: 'write', mode: 'kernel' }];
    case 'guest-pa':
      return [{ op: 'access', vaddr: step.vaddr, kind: 'read', mode: 'kernel' }];
    case 'set-pte':
    case 'set-pgd':
    case 'set-pmd':
      return [{ op: 'flush-tlb', scope: 'all' }];
    default:
      return [];
  }
};

const smallerValues = (step: Step, names: Names): Step[] => {
  switch (step.op) {
    case 'store':
      return [
        ...simplerEntries(step.value, names.pages).map((value) => ({ ...step, value })),
        ...wordPlaces(step.paddr, names).map((place) => ({ ...step, paddr: place })),
      ];
    case 'init':
      return kernelAddresses(step.kernelAddress).map((kernelAddress) => ({ ...step, kernelAddress }));
    case 'new-pgtable':
      return [
        ...[0, step.draw % SLOTS, 1, 2].map((draw) => ({ ...step, draw })),
        ...names.roots.map((root) => ({ ...step, root })),
      ];
    case 'flush-tlb':
      return [{ ...step, scope: 'all' }];
    case 'set-stack':
      return [
        ...[0, 1, 2, 3].map((pages) => ({ ...step, pages })),
        ...stackPointers(step.esp, names).map((esp) => ({ ...step, esp })),
      ];
    case 'set-pmd':
      return [
        { ...step, pmd: paddr(0) },
        { ...step, pmd: paddr(step.pmd & -PAGE_BYTES) },
        { ...step, index: 0 },
      ];
    case 'set-pte':
      return [
        ...simplerEntries(step.pte, names.pages).map((pte) => ({ ...step, pte })),
        ...addresses(step.vaddr, names).map((address) => ({ ...step, vaddr: address })),
        ...names.roots.map((root) => ({ ...step, root })),
      ];
    case 'set-pgd':
      return [
        ...rootIndexes(step.index, names).map((index) => ({ ...step, index })),
        ...names.roots.map((root) => ({ ...step, root })),
      ];
    case 'access':
      return [
        { ...step, kind: 'read' },
        { ...step, mode: 'kernel' },
        ...addresses(step.vaddr, names).map((address) => ({ ...step, vaddr: address })),
      ];
    case 'guest-pa':
      return addresses(step.vaddr, names).map((address) => ({ ...step, vaddr: address }));
    case 'migrate':
      return [0, 1].map((cpu) => ({ ...step, cpu }));
    case 'fail-alloc':
      return [0, 1, 2, 3].map((count) => ({ ...step, count }));
    case 'protect':
      return [
        ...names.pages.map((page) => ({ ...step, page })),
        ...(['write', 'none'] as const).map((access) => ({ ...step, access })),
      ];
    default:
      return step satisfies never;
  }
};

/** The same index in another page, or the first word of this one. */
const wordPlaces = (place: Paddr, { pages }: Names): Paddr[] => {
  const offset = place % PAGE_BYTES;
  return [...pages.map((page) => paddr(page * PAGE_BYTES + offset)), paddr(place - offset)];
};

const addresses = (address: Vaddr, { vaddrs, program }: Names): Vaddr[] => {
  const { switcherAddress } = pagingSizes(program.machine.paging);
  const aligned = pageOfAddress(address) * PAGE_BYTES;
  const outside = program.machine.guestPages * PAGE_BYTES;
  const offset = address % PAGE_BYTES;
  const usual = [0, PAGE_BYTES, outside, USUAL_KERNEL_ADDRESS, switcherAddress];
  return [...usual, aligned, ...vaddrs, ...usual.map((each) => each + offset)].map(vaddr);
};

/** The usual one; failing that one page above it, or rounded. */
const kernelAddresses = (address: Vaddr): Vaddr[] =>
  [
    USUAL_KERNEL_ADDRESS,
    ...[0, USUAL_KERNEL_ADDRESS].flatMap((half) => [half, half + PAGE_BYTES, half + 2 * PAGE_BYTES]),
    ...[30, 22, 21, 12].map((bits) => address - (address % 2 ** bits)),
  ].map(vaddr);

const stackPointers = (esp: Vaddr, { vaddrs, program }: Names): Vaddr[] => {
  const { switcherAddress } = pagingSizes(program.machine.paging);
  const bottoms = [0, PAGE_BYTES, ...vaddrs.map((address) => address - (address % PAGE_BYTES)), USUAL_KERNEL_ADDRESS];
  const aligned = Math.ceil(esp / PAGE_BYTES) * PAGE_BYTES;
  return [0, ...bottoms.map((bottom) => bottom + PAGE_BYTES), aligned, switcherAddress].map(vaddr);
};

const rootIndexes = (index: number, { program }: Names): number[] => {
  const { rootEntries, rootEntryReach } = pagingSizes(program.machine.paging);
  return [0, USUAL_KERNEL_ADDRESS / rootEntryReach, rootEntries - 1, rootEntries].filter((each) => each !== index);
};
