/** What a step means, in a clause for readers who do not know the hypercalls. */

import { describeEntry, formatHex } from '../formats/index.js';
import type {
  GuestEntry,
  MachineConfig,
  Paddr,
  Paging,
  Program,
  Protection,
  Step,
  StoreStep,
} from '../../model/vocabulary/index.js';
import { hasFeature, paddr, pagingSizes } from '../../model/vocabulary/index.js';
import type { Place } from '../divergence.js';
import type { Profile } from '../profile.js';
import { accessText, plural, rangeText } from './words.js';
import { GuestRecord } from '../guest-record.js';
import { pagingLevels, treeOf } from './table-rows.js';
import { WordHistory } from './rerun.js';
import { ZERO_OBSERVATION } from '../trace-of.js';

export const meaningOf = (place: Place, { machine, steps }: Program, roles: Roles, profile: Profile): string => {
  switch (place.kind) {
    case 'create':
      return profile === 'lguest' ? creationMeaning(machine) : 'a CPU without paging: every address stands for itself';
    case 'step':
      return (
        (profile === 'lguest' ? undefined : cpuMeaning(steps[place.index], machine)) ??
        stepMeaning(steps[place.index], machine, roles)
      );
    case 'end':
      return 'every step was taken';
    case 'destroy':
      return 'the guest is taken down: everything must be given back';
    case 'end-of-input':
      return 'the subject is to exit, with status 0';
    default:
      return place satisfies never;
  }
};

/** What a step is to a CPU, where it is not the call of a hypervisor. */
const cpuMeaning = (step: Step, machine: MachineConfig): string | undefined => {
  switch (step.op) {
    case 'new-pgtable':
      return `the guest loads CR3 with root ${formatHex(step.root)}`;
    case 'flush-tlb':
      return `the guest reloads CR3, which drops every cached translation${hasFeature(machine, 'global-pages') ? ' that is not global' : ''}`;
    case 'set-pmd':
      return `the guest reloads CR3, because PMD entry ${step.index} at ${formatHex(step.pmd)} changed`;
    case 'set-pgd':
      return `the guest reloads CR3, if it runs on root ${formatHex(step.root)}, because PGD entry ${step.index} changed`;
    default:
      return undefined;
  }
};

const creationMeaning = ({ draw, failAllocation }: MachineConfig): string => {
  const fails = failAllocation === 0 ? '' : `; host allocation ${failAllocation} of it fails`;
  return `a guest starts in slot ${draw % 4}, where every address stands for itself (linear mode)${fails}`;
};

const PROTECTIONS: Readonly<Record<Protection, string>> = {
  none: 'it may not be taken',
  read: 'it may be taken for reading only',
  write: 'it may be taken for reading and writing',
};

const stepMeaning = (step: Step, machine: MachineConfig, roles: Roles): string => {
  switch (step.op) {
    case 'store':
      return storeMeaning(step, machine, roles);
    case 'init':
      return `the guest announces itself; addresses from ${formatHex(step.kernelAddress)} on are its kernel's`;
    case 'new-pgtable':
      return `the guest switches to the tables at root ${formatHex(step.root)}`;
    case 'flush-tlb':
      return step.scope === 'all'
        ? 'the guest asks the hypervisor to drop every mapping'
        : 'the guest asks the hypervisor to drop the mappings below its kernel in the current slot';
    case 'set-stack':
      return `the guest asks the hypervisor to keep ${plural(step.pages, 'stack page')} below ${formatHex(step.esp)} mapped`;
    case 'set-pmd':
      return `the guest announces that PMD entry ${step.index} at ${formatHex(step.pmd)} changed`;
    case 'set-pte':
      return `the guest announces ${entryMeaning(step.pte, machine)} for ${formatHex(step.vaddr)} of root ${formatHex(step.root)}`;
    case 'set-pgd':
      return `the guest announces that PGD entry ${step.index} of root ${formatHex(step.root)} changed (${underEntry(step.index, machine.paging)})`;
    case 'access':
      return `a ${accessText(step)}`;
    case 'guest-pa':
      return `the host looks up where ${formatHex(step.vaddr)} lies in guest RAM`;
    case 'migrate':
      return `the guest moves to host CPU ${step.cpu}`;
    case 'fail-alloc':
      return `the next ${plural(step.count, 'host allocation')} will fail`;
    case 'protect':
      return `the Launcher protects guest page ${step.page}: ${PROTECTIONS[step.access]}`;
    default:
      return step satisfies never;
  }
};

const underEntry = (index: number, paging: Paging): string => {
  const { rootEntries, rootEntryReach } = pagingSizes(paging);
  return index < rootEntries ? rangeText(index * rootEntryReach, rootEntryReach) : `a root has ${rootEntries}`;
};

const storeMeaning = ({ paddr: at, value }: StoreStep, machine: MachineConfig, roles: Roles): string => {
  const known = roles.get(at);
  const role = known === undefined ? `the word at ${formatHex(at)}` : `its ${known}`;
  const what = describeEntry(value, machine);
  return what === '0' ? `the guest clears ${role}` : `the guest sets ${role} to ${what}`;
};

const entryMeaning = (entry: GuestEntry, machine: MachineConfig): string => {
  const text = describeEntry(entry, machine);
  return text === '0' ? 'that nothing is mapped' : `the entry "${text}"`;
};

/** What each word is for, by its address: `PTE for 0x400000 (root 0x1000)`. */
export type Roles = ReadonlyMap<Paddr, string>;

/** Reads the tables below every root that the program's first `count` steps name. */
export const rolesOf = ({ machine, steps }: Program, count: number): Roles => {
  const guest = new GuestRecord();
  const history = new WordHistory();
  guest.begin(machine);
  const roots = new Set<Paddr>();
  for (const [index, step] of steps.slice(0, count).entries()) {
    // A word that is cleared later still had its role.
    if (step.op === 'store' && step.value.low % 2 === 0) continue;
    guest.follow(step);
    history.follow(index, step, ZERO_OBSERVATION);
    if ('root' in step) roots.add(step.root);
  }
  const levels = pagingLevels(machine.paging);
  const roles = new Map<Paddr, string>();
  for (const root of roots) {
    const { tables } = treeOf(root, { guest, history, levels, step: undefined, location: undefined }, undefined);
    for (const { level, rows } of tables) {
      for (const row of rows) {
        const at = paddr(Number(row.paddr));
        if (!roles.has(at)) roles.set(at, `${levels[level].name} for ${row.from} (root ${formatHex(root)})`);
      }
    }
  }
  return roles;
};
