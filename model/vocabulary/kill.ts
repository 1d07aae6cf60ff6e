/**
 * Why the hypervisor kills a guest, as a code and as the text that a trace records (machine.md 2, 3). Both machines share the
 * words; each decides for itself whom to kill and when.
 */

import type { Hypercall } from './step.js';
import { HYPERCALL_NUMBERS } from './step.js';

/** The text of each cause: numbers are printed as C's `%d` and `%#lx` print them. No text begins with another one's beginning. */
const TEXTS = {
  'before-init': 'hypercall %d before INIT',
  'bad-hypercall': 'Bad hypercall %d',
  'already-initialized': 'already have lguest_data',
  'bad-kernel-address': 'bad kernel address %#lx',
  'bad-stack-page': 'bad stack page %#lx',
  'bad-stack-pages': 'bad stack pages %d',
  'set-pte-in-switcher': 'attempt to set pte into Switcher pages',
  'bad-pgd-index': 'Attempt to set pgd %d/%d',
  'bad-directory-entry': 'bad page directory entry',
  'bad-middle-entry': 'bad page middle directory entry',
  'bad-table-entry': 'bad page table entry',
  'bad-read': 'bad read address %#lx len %d',
  'bad-address': 'Bad address %#lx',
  'page-refused': 'failed to get page %d',
  /** The first table below the root could not be allocated; lguest used this text in both paging modes. */
  'no-pte-table': 'out of memory allocating pte page',
  /** The second table below the root, PAE only. */
  'no-pmd-table': 'out of memory allocating pmd page',
} as const;

type NamedCause = keyof typeof TEXTS;

/** `unknown`: the text is not one of machine.md's; only a machine from outside can give one. */
export type KillCause = NamedCause | 'unknown';

/** The outcome of the step that killed the guest. Two kills are the same if their reasons are. */
export interface Killed {
  readonly kind: 'killed';
  readonly cause: KillCause;
  /** The numbers in the reason, in order. */
  readonly numbers: readonly number[];
  /** What a trace records, for people to read. */
  readonly reason: string;
}

const killed = (cause: NamedCause, ...numbers: readonly number[]): Killed => {
  let next = 0;
  const reason = TEXTS[cause].replaceAll(/%#lx|%d/g, (format) => print(format, numbers[next++]));
  return { kind: 'killed', cause, numbers, reason };
};

/** C's `%#lx` prints lower case with `0x` in front, and plain `0` for zero. */
const print = (format: string, value: number): string =>
  format === '%d' || value === 0 ? String(value) : `0x${value.toString(16)}`;

/** A kill for each cause of machine.md. */
export const KILL = {
  beforeInit: (call: Hypercall): Killed => killed('before-init', HYPERCALL_NUMBERS[call]),
  badHypercall: (call: Hypercall): Killed => killed('bad-hypercall', HYPERCALL_NUMBERS[call]),
  alreadyInitialized: killed('already-initialized'),
  badKernelAddress: (address: number): Killed => killed('bad-kernel-address', address),
  badStackPage: (address: number): Killed => killed('bad-stack-page', address),
  badStackPages: (pages: number): Killed => killed('bad-stack-pages', pages),
  setPteInSwitcher: killed('set-pte-in-switcher'),
  badPgdIndex: (index: number, entries: number): Killed => killed('bad-pgd-index', index, entries),
  badDirectoryEntry: killed('bad-directory-entry'),
  badMiddleEntry: killed('bad-middle-entry'),
  badTableEntry: killed('bad-table-entry'),
  badRead: (address: number, bytes: number): Killed => killed('bad-read', address, bytes),
  badAddress: (address: number): Killed => killed('bad-address', address),
  pageRefused: (page: number): Killed => killed('page-refused', page),
  noPteTable: killed('no-pte-table'),
  noPmdTable: killed('no-pmd-table'),
} as const;

const NUMBERS = /0x[0-9a-f]+|\d+/g;

/** The part of each text before its first number, and how many numbers it has. */
const BEGINNINGS = Object.entries(TEXTS).map(([cause, text]) => {
  const [beginning, ...formats] = text.split('%');
  return { cause: cause as NamedCause, beginning, numbers: formats.length };
});

/** A kill as a trace records it, by its text alone. */
export const killedFor = (reason: string): Killed => {
  const numbers = (reason.match(NUMBERS) ?? []).map(Number);
  const named = BEGINNINGS.find((each) => reason.startsWith(each.beginning) && numbers.length >= each.numbers);
  return { kind: 'killed', cause: named?.cause ?? 'unknown', numbers, reason };
};

/** The reason with `N` for every number, to group kills of one cause. */
export const reasonWithoutNumbers = ({ reason }: Killed): string => reason.replaceAll(NUMBERS, 'N');

/** The host refused memory or a page: the guest's tables alone cannot show that. */
export const isHostRefusal = ({ cause }: Killed): boolean =>
  cause === 'page-refused' || cause === 'no-pte-table' || cause === 'no-pmd-table';
