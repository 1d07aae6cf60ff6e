/** Why the guest's own tables, or the rules, require an outcome: the clause after "because". */

import { describeEntry, describeOutcome, entryBits, formatHex } from '../../formats/index.js';
import type {
  AccessKind,
  GuestEntry,
  KillCause,
  Killed,
  Outcome,
  Paddr,
  Step,
} from '../../../model/vocabulary/index.js';
import { guestEntry, paddr, vaddr } from '../../../model/vocabulary/index.js';
import { AVL, FLAGS, P } from '../../entry-bits.js';
import { differenceOf } from '../../invariants/outcome-difference.js';
import {
  LEVELS,
  dirty,
  hasReserved,
  isLargePage,
  isNoExecute,
  isPresent,
  isUser,
  isWritable,
  isWriteGuarded,
  pageOf,
  targetOf,
  uncachedAccess,
  uncachedPhysical,
} from '../../uncached-walk.js';
import { entryReach, pagingLevels } from '../table-rows.js';
import type { LeafSeen } from '../shadow-snapshot.js';
import { sinceText } from '../words.js';
import type { Evidence } from './evidence.js';
import { lastOf, lastStep } from './evidence.js';

/** An entry that a walk of the guest's tables meets. */
export interface Met {
  /** `the guest's PTE at 0x1000`. */
  readonly name: string;
  readonly at: Paddr;
  readonly entry: GuestEntry;
  readonly depth: number;
  readonly isLeaf: boolean;
  /** It has bits set that are reserved on a CPU with features, and is looked at for them. */
  readonly isReserved: boolean;
  readonly outside: boolean;
}

/** The entries from a root (by default the guest's current one) as far as present entries lead; none in linear mode. */
export const walkWords = ({ guest }: Evidence, address: number, root = guest.root): readonly Met[] => {
  const met: Met[] = [];
  const levels = pagingLevels(guest.config.paging);
  let table: number | undefined = root;
  for (let depth = 0; depth < levels.length && table !== undefined; depth++) {
    const level = levels[depth];
    const at = paddr(table + (Math.floor(address / entryReach(level)) % level.entries) * level.entryBytes);
    const outside = !guest.inRam(at);
    const entry = outside ? guestEntry(0) : guest.word(at);
    const name = `the guest's ${level.name} at ${formatHex(at)}`;
    const isDirectory = depth === levels.length - 2;
    const isLeaf = depth === levels.length - 1 || isLargePage(entry, isDirectory, guest.config);
    const isReserved =
      guest.config.features !== undefined &&
      LEVELS[guest.config.paging][depth].hasRights &&
      isPresent(entry) &&
      hasReserved(entry, isDirectory, guest.config);
    met.push({ name, at, entry, depth, isLeaf, isReserved, outside });
    table = isPresent(entry) && !isLeaf && !isReserved ? targetOf(entry, guest.config) * 4096 : undefined;
  }
  return met;
};

/** A clause, and what it is about. */
export interface Because {
  readonly text: string;
  readonly step?: number | undefined;
  readonly paddr?: Paddr;
}

/** The entry for which a CPU with features refuses an access. */
const whyRefused = ({ history }: Evidence, met: readonly Met[], kind: AccessKind): string | undefined => {
  const reserved = met.find(({ isReserved }) => isReserved);
  if (reserved !== undefined)
    return `${reserved.name} has reserved bits set${sinceText(history.since(reserved.at, () => true))}`;
  const barred = kind === 'execute' ? met.find(({ entry }) => isNoExecute(entry)) : undefined;
  return barred && `${barred.name} has XD${sinceText(history.since(barred.at, isNoExecute))}`;
};

const BITS = { P: isPresent, RW: isWritable, US: isUser, D: dirty } as const;

/** `the guest's PTE at 0x1000 has no RW since step 5`. */
export const lacks = ({ history }: Evidence, { name, at }: Met, bit: keyof typeof BITS): Because => {
  const step = history.since(at, (entry) => !BITS[bit](entry));
  if (step === undefined) return { text: `${name} was never stored`, paddr: at };
  const state = bit === 'P' ? 'is not present' : `has no ${bit}`;
  return { text: `${name} ${state}${sinceText(step)}`, step, paddr: at };
};

/** The first level that withholds a right. */
export const withheld = (evidence: Evidence, met: readonly Met[], bit: 'RW' | 'US'): Because | undefined => {
  const levels = LEVELS[evidence.guest.config.paging];
  const found = met.find(({ depth, entry }) => levels[depth].hasRights && !BITS[bit](entry));
  return found === undefined ? undefined : lacks(evidence, found, bit);
};

const whyUnmapped = (evidence: Evidence, address: number): string | undefined => {
  const absent = walkWords(evidence, address).find(({ entry }) => !isPresent(entry));
  return absent === undefined ? undefined : lacks(evidence, absent, 'P').text;
};

/** The entry that makes an access fault, if one does. */
export const whyFault = (evidence: Evidence, { vaddr: address, kind, mode }: AccessWords): string | undefined => {
  const { guest } = evidence;
  if (address >= guest.sizes.switcherAddress) return inWindow(evidence, address);
  if (guest.linear) return mode === 'user' ? 'in linear mode every address belongs to the kernel alone' : undefined;
  const met = walkWords(evidence, address);
  return (
    whyUnmapped(evidence, address) ??
    whyRefused(evidence, met, kind) ??
    (mode === 'user' ? withheld(evidence, met, 'US') : undefined)?.text ??
    (kind === 'write' && isWriteGuarded(guest, mode) ? withheld(evidence, met, 'RW') : undefined)?.text
  );
};

export type AccessWords = Pick<Step & { readonly op: 'access' }, 'vaddr' | 'kind' | 'mode'>;

export const inWindow = ({ guest }: Evidence, address: number): string =>
  `${formatHex(address)} lies in the Switcher's window (${formatHex(guest.sizes.switcherAddress)} and above)`;

/** Where the guest's tables lead: `the guest's PTE at 0x1000 leads to page 5 since step 2`. */
export const whereTo = (evidence: Evidence, address: number): string | undefined => {
  if (evidence.guest.linear) return `in linear mode ${formatHex(address)} stands for itself`;
  const leaf = walkWords(evidence, address).find(({ isLeaf, entry }) => isLeaf && isPresent(entry));
  if (leaf === undefined) return undefined;
  if (leaf.depth < pagingLevels(evidence.guest.config.paging).length - 1)
    return `${leaf.name} maps a large page${sinceText(evidence.history.since(leaf.at, isPresent))}`;
  const pageIn = (entry: GuestEntry): number => targetOf(entry, evidence.guest.config);
  const page = pageIn(leaf.entry);
  const since = evidence.history.since(leaf.at, (entry) => isPresent(entry) && pageIn(entry) === page);
  return `${leaf.name} leads to page ${page}${deviceText(evidence, page)}${sinceText(since)}`;
};

const deviceText = ({ guest }: Evidence, page: number): string => {
  const { guestPages, devicePages } = guest.config;
  return page >= guestPages && page < guestPages + devicePages ? ', a device,' : '';
};

/** Why the rules, or the guest's tables as they are, require the model's outcome; undefined if they require another. */
export const whyExpected = (evidence: Evidence): string | undefined => {
  const { step, guest, moment } = evidence;
  const { outcome } = moment.model;
  if (outcome.kind === 'killed') return whyKilled(evidence, outcome);
  switch (step?.op) {
    case 'init':
      return `with ${guest.config.paging === 'pae' ? 'PAE' : '2-level paging'} the Switcher's window begins at ${formatHex(guest.sizes.switcherAddress)}`;
    case 'access': {
      const uncached = uncachedAccess(guest, step.vaddr, step.kind, step.mode);
      if (differenceOf(uncached, outcome) !== undefined) return undefined;
      return outcome.kind === 'fault' ? whyFault(evidence, step) : whereTo(evidence, step.vaddr);
    }
    case 'guest-pa': {
      const uncached = uncachedPhysical(guest, step.vaddr).outcome;
      return differenceOf(uncached, outcome) === undefined ? whereTo(evidence, step.vaddr) : undefined;
    }
    default:
      return undefined;
  }
};

/** A leaf may have any bit but PSE. */
const LEAF_BITS = 0xf7f;

/** What makes an entry a bad one, if it is: `has PSE`, `leads to page 9, and guest RAM ends with page 3`. */
const badness = ({ guest }: Evidence, entry: GuestEntry, allowed: number): string | undefined => {
  const { guestPages, devicePages } = guest.config;
  const wrong = guestEntry(entry.low & FLAGS & ~allowed & ~P);
  const avl = wrong.low & AVL;
  const bits = [...entryBits(wrong), ...(avl === 0 ? [] : [`AVL ${formatHex(avl)}`])];
  if (bits.length > 0) return `has ${bits.join(' ')}`;
  if (entry.high >= 4096) return `has reserved bits, ${describeEntry(entry, guest.config)}`;
  const page = pageOf(entry);
  if (page < guestPages) return undefined;
  const devices = devicePages === 0 ? '' : ` and devices end with page ${guestPages + devicePages - 1}`;
  return `leads to page ${page}, and guest RAM ends with page ${guestPages - 1}${devices}`;
};

const whyBad = (evidence: Evidence, met: Met | undefined, allowed: number): string | undefined => {
  if (met === undefined) return undefined;
  const bad = badness(evidence, met.entry, allowed);
  if (bad === undefined) return undefined;
  const since = evidence.history.since(met.at, (entry) => badness(evidence, entry, allowed) === bad);
  return `${met.name}${since === undefined ? '' : `, stored at step ${since},`} ${bad}`;
};

const clause = (noun: string, predicate: string | undefined): string | undefined =>
  predicate === undefined ? undefined : `${noun} ${predicate}`;

const whyBadLeaf = (evidence: Evidence): string | undefined => {
  const { step, guest } = evidence;
  if (step?.op === 'set-pte') return clause('the announced entry', badness(evidence, step.pte, LEAF_BITS));
  const address = addressOf(evidence);
  const leaf = walkWords(evidence, address).find(({ isLeaf }) => isLeaf);
  if (!guest.linear) return whyBad(evidence, leaf, LEAF_BITS);
  const own = guestEntry(Math.floor(address / 4096) * 4096);
  return clause(`in linear mode ${formatHex(address)}`, badness(evidence, own, LEAF_BITS));
};

const whyBadTable = (evidence: Evidence, depth: number): string | undefined => {
  const { flags } = LEVELS[evidence.guest.config.paging][depth];
  return whyBad(evidence, walkWords(evidence, addressOf(evidence))[depth], flags);
};

/** The address that a step is about; 0 if it is about none. */
const addressOf = ({ step }: Evidence): number => (step !== undefined && 'vaddr' in step ? step.vaddr : 0);

type Reason = (evidence: Evidence, numbers: readonly number[]) => string | undefined;

/** Why the guest's tables, or the rules, require a kill. */
const KILL_REASONS: Readonly<Record<KillCause, Reason>> = {
  'before-init': () => 'no init came before',
  'bad-hypercall': () => 'set-pmd is for PAE alone',
  'already-initialized': () => 'an init came before',
  'bad-kernel-address': (evidence, [address]) => inWindow(evidence, address),
  'bad-stack-page': (evidence, [address]) =>
    whyFault(evidence, { vaddr: vaddr(address), kind: 'write', mode: 'kernel' }),
  'bad-stack-pages': () => 'at most two stack pages may be pinned',
  'set-pte-in-switcher': (evidence) => inWindow(evidence, addressOf(evidence)),
  'bad-pgd-index': (_, [index, entries]) => `a root has ${entries} entries, and ${index} is behind the last`,
  'bad-directory-entry': (evidence) => whyBadTable(evidence, 0),
  'bad-middle-entry': (evidence) => whyBadTable(evidence, 1),
  'bad-table-entry': whyBadLeaf,
  'bad-read': (_, [address]) => `${formatHex(address)} lies outside guest RAM`,
  'bad-address': (evidence, [address]) => whyUnmapped(evidence, address),
  'page-refused': (evidence, [page]) => whyWithheld(evidence, page),
  'no-pte-table': (evidence) => whyNoMemory(evidence),
  'no-pmd-table': (evidence) => whyNoMemory(evidence),
  unknown: () => undefined,
};

export const whyKilled = (evidence: Evidence, { cause, numbers }: Killed): string | undefined =>
  KILL_REASONS[cause](evidence, numbers);

const whyWithheld = (evidence: Evidence, page: number): string | undefined => {
  const index = lastStep(evidence, (step) => step.op === 'protect' && step.page === page);
  const step = index === undefined ? undefined : evidence.program.steps[index];
  if (step?.op !== 'protect' || step.access === 'write') return undefined;
  const rule = step.access === 'read' ? `lets page ${page} be taken for reading only` : `forbids taking page ${page}`;
  return `step ${index} (protect) ${rule}`;
};

const whyNoMemory = (evidence: Evidence): string | undefined => {
  const index = lastOf(evidence, 'fail-alloc');
  return index === undefined ? undefined : `step ${index} (fail-alloc) makes host allocations fail`;
};

/** How the guest changed a mapping that a shadow leaf still has: `the guest unmapped it at step 4`. */
export const guestMoved = (evidence: Evidence, leaf: LeafSeen, root: Paddr | undefined): Because | undefined => {
  const met = walkWords(evidence, leaf.vaddr, root);
  const sinceInstalled = (at: Paddr, text: string, holds: (word: GuestEntry) => boolean): Because | undefined => {
    const step = evidence.history.since(at, holds);
    if (step === undefined || step < (leaf.since ?? 0)) return undefined;
    return { text: `the guest ${text} at step ${step}`, step, paddr: at };
  };
  const absent = met.find(({ entry }) => !isPresent(entry));
  if (absent !== undefined) return sinceInstalled(absent.at, 'unmapped it', (word) => !isPresent(word));
  const found = met.find(({ isLeaf }) => isLeaf);
  if (found === undefined) return undefined;
  const page = pageOf(found.entry);
  if (page === leaf.page) return undefined;
  return sinceInstalled(found.at, `moved it to page ${page}`, (word) => isPresent(word) && pageOf(word) === page);
};

const PAST = { go: 'went', fault: 'faulted', kill: 'killed', answer: 'answered', break: 'broke' } as const;

/** A verb and what follows it. */
const outcomeWords = (outcome: Outcome): readonly [verb: keyof typeof PAST, rest: string] => {
  switch (outcome.kind) {
    case 'mapped':
      return ['go', `through to ${formatHex(outcome.paddr)}`];
    case 'mmio':
      return ['go', `to the device at ${formatHex(outcome.paddr)}`];
    case 'fault':
      return ['fault', describeOutcome(outcome).replace(/^fault/, 'with')];
    case 'killed':
      return ['kill', `the guest ("${outcome.reason}")`];
    case 'physical':
      return ['answer', formatHex(outcome.paddr)];
    case 'initialized':
      return ['answer', `that ${formatHex(outcome.reserved)} bytes are reserved`];
    case 'host-bug':
      return ['break', `the hypervisor itself (${outcome.reason})`];
    default:
      return ['answer', `"${describeOutcome(outcome)}"`];
  }
};

/** `go through to 0x2000`, `fault with code 3 (present, write, kernel)`. */
export const outcomeVerb = (outcome: Outcome): string => outcomeWords(outcome).join(' ');

/** `went through to 0x2000`. */
export const outcomeHappened = (outcome: Outcome): string => {
  const [verb, rest] = outcomeWords(outcome);
  return `${PAST[verb]} ${rest}`;
};
