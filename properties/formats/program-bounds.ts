/** What a step may say depends on the machine that it is meant for (formats.md, Bounds; machine.md 1). */

import type { GuestEntry, MachineConfig, Paddr, Step } from '../../model/vocabulary/index.js';
import { PAGE_BYTES, pagingSizes } from '../../model/vocabulary/index.js';
import { formatHex, formatHexEntry } from './hex.js';
import type { Path, Problems } from './problems.js';

/** One machine, where the step stands, and whom to tell. */
interface Check {
  readonly machine: MachineConfig;
  readonly path: Path;
  readonly problems: Problems;
}

const checkAlignment = (field: string, address: Paddr, bytes: number, { path, problems }: Check): void => {
  if (address % bytes === 0) return;
  const nearest = formatHex(address - (address % bytes));
  problems.add([...path, field], `${formatHex(address)} is not a multiple of ${bytes}; use "${nearest}" for one`);
};

const checkRoot = (root: Paddr, check: Check): void =>
  checkAlignment('root', root, pagingSizes(check.machine.paging).rootAlignment, check);

const checkInRam = (address: Paddr, { machine, path, problems }: Check): void => {
  const bytes = machine.guestPages * PAGE_BYTES;
  if (address < bytes) return;
  const problem = `${formatHex(address)} is outside RAM`;
  problems.add([...path, 'paddr'], `${problem}; stay below ${formatHex(bytes)} or raise machine.guestPages`);
};

const checkEntry = (field: string, entry: GuestEntry, { machine, path, problems }: Check): void => {
  if (machine.paging === 'pae' || entry.high === 0) return;
  const problem = `${formatHexEntry(entry)} does not fit a 2-level entry`;
  problems.add([...path, field], `${problem}; give at most 32 bits or set machine.paging to "pae"`);
};

const checkBelow = (field: string, value: number, bound: 'hostCpus' | 'guestPages', check: Check): void => {
  const limit = check.machine[bound];
  if (value < limit) return;
  const remedy = `give at most ${limit - 1} or raise machine.${bound}`;
  check.problems.add([...check.path, field], `${value} is out of range; ${remedy}`);
};

/** Adds what is wrong with a step of right shape. */
export const checkStep = (step: Step, check: Check): void => {
  switch (step.op) {
    case 'store':
      checkInRam(step.paddr, check);
      checkAlignment('paddr', step.paddr, pagingSizes(check.machine.paging).entryBytes, check);
      return checkEntry('value', step.value, check);
    case 'set-pte':
      checkRoot(step.root, check);
      return checkEntry('pte', step.pte, check);
    case 'new-pgtable':
    case 'set-pgd':
      return checkRoot(step.root, check);
    case 'migrate':
      return checkBelow('cpu', step.cpu, 'hostCpus', check);
    case 'protect':
      return checkBelow('page', step.page, 'guestPages', check);
    case 'init':
    case 'flush-tlb':
    case 'set-stack':
    case 'set-pmd':
    case 'access':
    case 'guest-pa':
    case 'fail-alloc':
      return;
    default:
      return step satisfies never;
  }
};
