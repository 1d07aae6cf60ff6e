/** Steps, entries and observations as text for people. Only `parseListing` reads it back. */

import type {
  GuestEntry,
  MachineConfig,
  Observable,
  Observation,
  Outcome,
  Step,
} from '../../model/vocabulary/index.js';
import {
  bareOutcome,
  FAULT_FETCH,
  FAULT_PRESENT,
  FAULT_RESERVED,
  FAULT_USER,
  FAULT_WRITE,
  guestEntry,
  hasFeature,
  OBSERVABLES,
  OPS,
} from '../../model/vocabulary/index.js';
import { A, AVL, D, G, PCD, PSE, PWT, RW, US, XD, isPresent } from '../entry-bits.js';
import { formatHex, formatHexEntry } from './hex.js';
import { quoted } from './visible-text.js';

/** In the order of the listing: rights, then A and D, which the CPU sets, then the rest. */
export const FLAGS = [
  ['RW', RW],
  ['US', US],
  ['A', A],
  ['D', D],
  ['PWT', PWT],
  ['PCD', PCD],
  ['PSE', PSE],
  ['G', G],
] as const;

/** What gives the bits of an entry their meaning. */
export type EntryLayout = Pick<MachineConfig, 'paging' | 'features'>;

/** Bits 12–31, and in PAE bits 32–43 above them. */
const pageNumber = ({ low, high }: GuestEntry, { paging }: EntryLayout): number =>
  (low >>> 12) + (paging === 'pae' ? (high & 0xfff) * 2 ** 20 : 0);

/** Bits that are reserved on the machine, in place. */
const reservedBits = ({ high }: GuestEntry, layout: EntryLayout): GuestEntry => {
  const known = (layout.paging === 'pae' ? 0xfff : 0) | (hasFeature(layout, 'no-execute') ? XD : 0);
  return guestEntry(0, high & ~known);
};

/** Names of the bits that are set, P first. The guest's own bits and reserved ones have no names. */
export const entryBits = (entry: GuestEntry, layout: Pick<EntryLayout, 'features'> = {}): readonly string[] => {
  const { low, high } = entry;
  const names: string[] = isPresent(entry) ? ['P'] : [];
  for (const [name, bit] of FLAGS) if ((low & bit) !== 0) names.push(name);
  if (hasFeature(layout, 'no-execute') && (high & XD) !== 0) names.push('XD');
  return names;
};

/**
 * An entry's page and bits: `pfn 5 P RW US A D`, or `not present, pfn 5 RW`, or `0` if it is empty. The number of the page is
 * decimal. Bits are named as in a leaf, at every level. Bit 63 is `XD` on a machine with no-execute, and reserved on any other.
 */
export const describeEntry = (entry: GuestEntry, layout: EntryLayout): string => {
  const { low, high } = entry;
  if (low === 0 && high === 0) return '0';
  const present = isPresent(entry);
  const words = [present ? '' : 'not present,', `pfn ${pageNumber(entry, layout)}`, ...entryBits(entry, layout)];
  if ((low & AVL) !== 0) words.push(`AVL ${formatHex(low & AVL)}`);
  const reserved = reservedBits(entry, layout);
  if (reserved.high !== 0) words.push(`reserved ${formatHexEntry(reserved)}`);
  return words.filter((word) => word !== '').join(' ');
};

/** An entry in a step: the word, then its meaning. */
const describeWord = (entry: GuestEntry, layout: EntryLayout): string => {
  const meaning = describeEntry(entry, layout);
  return meaning === '0' ? '0' : `${formatHexEntry(entry)}   ${meaning}`;
};

const describeOperands = (step: Step, layout: EntryLayout): string => {
  switch (step.op) {
    case 'store':
      return `[${formatHex(step.paddr)}] = ${describeWord(step.value, layout)}`;
    case 'init':
      return `kernel ${formatHex(step.kernelAddress)}`;
    case 'new-pgtable':
      return `root ${formatHex(step.root)} draw ${step.draw}`;
    case 'flush-tlb':
      return step.scope;
    case 'set-stack':
      return `esp ${formatHex(step.esp)} pages ${step.pages}`;
    case 'set-pmd':
      return `pmd ${formatHex(step.pmd)} index ${step.index}`;
    case 'set-pte':
      return `root ${formatHex(step.root)} vaddr ${formatHex(step.vaddr)} = ${describeWord(step.pte, layout)}`;
    case 'set-pgd':
      return `root ${formatHex(step.root)} index ${step.index}`;
    case 'access':
      return `${formatHex(step.vaddr)} ${step.kind} ${step.mode}`;
    case 'guest-pa':
      return formatHex(step.vaddr);
    case 'migrate':
      return `cpu ${step.cpu}`;
    case 'fail-alloc':
      return `count ${step.count}`;
    case 'protect':
      return `page ${step.page} ${step.access}`;
    default:
      return step satisfies never;
  }
};

/** The operands of all steps are aligned. */
const OP_COLUMNS = Math.max(...OPS.map((op) => op.length)) + 1;

/** A step in one line: `set-pte     root 0x1000 vaddr 0x400000 = 0x5067   pfn 5 P RW US A D`. */
export const describeStep = (step: Step, layout: EntryLayout): string =>
  `${step.op.padEnd(OP_COLUMNS)}${describeOperands(step, layout)}`;

const describeFault = (code: number): string => {
  const present = (code & FAULT_PRESENT) === 0 ? 'not present' : 'present';
  const why = (code & FAULT_RESERVED) === 0 ? present : 'reserved bits';
  const data = (code & FAULT_WRITE) === 0 ? 'read' : 'write';
  const kind = (code & FAULT_FETCH) === 0 ? data : 'execute';
  const mode = (code & FAULT_USER) === 0 ? 'kernel' : 'user';
  return `fault code ${code} (${why}, ${kind}, ${mode})`;
};

/** The most UTF-16 units of a reason to show: ours are far shorter, a foreign subject's may have any length. */
const MOST_REASON = 200;

/** An outcome in a few words: `mapped 0x5000`, `fault code 7 (present, write, user)`. */
export const describeOutcome = (outcome: Outcome): string => {
  switch (outcome.kind) {
    case 'initialized':
      return `initialized, ${formatHex(outcome.reserved)} bytes reserved`;
    case 'mapped':
    case 'mmio':
    case 'physical':
      return `${outcome.kind} ${formatHex(outcome.paddr)}`;
    case 'fault':
      return describeFault(outcome.code);
    case 'killed':
    case 'host-bug':
      return `${outcome.kind} ${quoted(outcome.reason, MOST_REASON)}`;
    case 'created':
    case 'no-memory':
    case 'ok':
    case 'stuck':
    case 'dead':
    case 'destroyed':
    case 'halted':
    case 'absent':
      return outcome.kind;
    default:
      return outcome satisfies never;
  }
};

/**
 * An observation in one line, without empty lists, and with the outcome alone if it is bare:
 * `mapped 0x5000; references 5:1; stores [0x2000] = 0x5067; tables 4; switcher text 1 state 1,0 registers 1`.
 */
export const describeObservation = (
  observation: Observation,
  observes: readonly Observable[] = OBSERVABLES,
): string => {
  const { outcome, references, stores, tables, switcher } = observation;
  const parts = [describeOutcome(outcome)];
  if (bareOutcome(outcome.kind)) return parts.join('');
  const counts = references.map(({ page, count }) => `${page}:${count}`);
  const words = stores.map(({ paddr, value }) => `[${formatHex(paddr)}] = ${formatHexEntry(value)}`);
  const shows = (what: Observable): boolean => observes.includes(what);
  if (shows('references') && counts.length > 0) parts.push(`references ${counts.join(' ')}`);
  if (shows('stores') && words.length > 0) parts.push(`stores ${words.join(', ')}`);
  if (shows('tables')) parts.push(`tables ${tables}`);
  if (shows('switcher'))
    parts.push(`switcher text ${switcher.text} state ${switcher.state.join(',')} registers ${switcher.registers}`);
  return parts.join('; ');
};

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A machine in one line: `2-level, 64 guest pages, 4 device pages, 2 host CPUs, draw 0`. */
export const describeMachine = (machine: MachineConfig): string => {
  const parts = [
    machine.paging === 'pae' ? 'PAE' : machine.paging,
    counted(machine.guestPages, 'guest page'),
    counted(machine.devicePages, 'device page'),
    counted(machine.hostCpus, 'host CPU'),
    `draw ${machine.draw}`,
  ];
  if (machine.failAllocation > 0) parts.push(`allocation ${machine.failAllocation} of creation fails`);
  if (machine.features !== undefined) parts.push(`features ${machine.features.join(' ')}`);
  return parts.join(', ');
};
