/** Repairs programs: steps that were made for another machine are moved to where this one allows them (formats.md, Program). */

import type { GuestEntry, MachineConfig, Paddr, Program, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, guestEntry, paddr, pagingSizes } from '../../model/vocabulary/index.js';

/** The same steps, each valid on the machine; one that was valid there stays as it was. */
export const fitted = ({ machine, steps }: Program): Program => ({
  machine,
  steps: steps.map((step) => fitStep(step, machine)),
});

const fitStep = (step: Step, machine: MachineConfig): Step => {
  switch (step.op) {
    case 'store':
      return { ...step, paddr: fitWord(step.paddr, machine), value: fitEntry(step.value, machine) };
    case 'new-pgtable':
    case 'set-pgd':
      return { ...step, root: fitRoot(step.root, machine) };
    case 'set-pte':
      return { ...step, root: fitRoot(step.root, machine), pte: fitEntry(step.pte, machine) };
    case 'migrate':
      return { ...step, cpu: step.cpu % machine.hostCpus };
    case 'protect':
      return { ...step, page: step.page % machine.guestPages };
    case 'init':
    case 'flush-tlb':
    case 'set-stack':
    case 'set-pmd':
    case 'access':
    case 'guest-pa':
    case 'fail-alloc':
      return step;
    default:
      return step satisfies never;
  }
};

const alignedDown = (address: number, unit: number): Paddr => paddr(address - (address % unit));

const fitWord = (address: number, { paging, guestPages }: MachineConfig): Paddr =>
  alignedDown(address % (guestPages * PAGE_BYTES), pagingSizes(paging).entryBytes);

const fitRoot = (root: number, { paging }: MachineConfig): Paddr =>
  alignedDown(root, pagingSizes(paging).rootAlignment);

const fitEntry = (entry: GuestEntry, { paging }: MachineConfig): GuestEntry =>
  paging === 'pae' || entry.high === 0 ? entry : guestEntry(entry.low, 0);
