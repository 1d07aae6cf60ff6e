/** Why the guest's own tables, or the rules, ask for an outcome: the clause behind "because". */

import { describeEntry, describeOutcome, formatHex } from '../../formats/index.js';
import type { GuestEntry, KillCause, Killed, Outcome, Paddr, Step, Vaddr } from '../../../model/vocabulary/index.js';
import { guestEntry, paddr, vaddr } from '../../../model/vocabulary/index.js';
import { FLAGS, P } from '../../entry-bits.js';
import { differenceOf } from '../../invariants/outcome-difference.js';
import {
  LEVELS,
  isPresent,
  isUser,
  isWritable,
  pageOf,
  uncachedAccess,
  uncachedPhysical,
} from '../../uncached-walk.js';
import { entryReach, pagingLevels } from '../table-rows.js';
import type { LeafSeen } from '../shadow-snapshot.js';
import { sinceText } from '../words.js';
import type { Evidence } from './evidence.js';
import { lastStep } from './evidence.js';

/** An entry that a walk of the guest's tables meets. */
export interface Met {
  /** `the guest's PTE at 0x1000`. */
  readonly name: string;
  readonly at: Paddr;
  readonly entry: GuestEntry;
  readonly depth: number;
  readonly isLeaf: boolean;
  readonly outside: boolean;
}

/** From a root, that which the guest runs on if left out, as far as present entries lead; nothing in linear mode. */
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
    met.push({ name, at, entry, depth, isLeaf: depth === levels.length - 1, outside });
    table = isPresent(entry) ? pageOf(entry) * 4096 : undefined;
  }
  return met;
};

/** `the guest's PTE at 0x1000 has no RW since step 5`. */
const lacks = (
  { history }: Evidence,
  { name, at }: Met,
  bit: string,
  holds: (entry: GuestEntry) => boolean,
): string => {
  const since = history.since(at, (entry) => !holds(entry));
  if (since === undefined) return `${name} was never stored`;
  return bit === 'P' ? `${name} is not present${sinceText(since)}` : `${name} has no ${bit}${sinceText(since)}`;
};

/** The entry that makes an access fault, if one does. */
export const whyFault = (evidence: Evidence, step: AccessWords): string | undefined => {
  const { guest } = evidence;
  if (step.vaddr >= guest.sizes.switcherAddress) return inWindow(evidence, step.vaddr);
  if (guest.linear) {
    return step.mode === 'user' ? 'in linear mode every address belongs to the kernel alone' : undefined;
  }
  const met = walkWords(evidence, step.vaddr);
  const absent = met.find(({ entry }) => !isPresent(entry));
  if (absent !== undefined) return lacks(evidence, absent, 'P', isPresent);
  const counted = met.filter(({ depth }) => LEVELS[guest.config.paging][depth].hasRights);
  const closed = step.mode === 'user' ? counted.find(({ entry }) => !isUser(entry)) : undefined;
  if (closed !== undefined) return lacks(evidence, closed, 'US', isUser);
  const readOnly = step.kind === 'write' ? counted.find(({ entry }) => !isWritable(entry)) : undefined;
  return readOnly === undefined ? undefined : lacks(evidence, readOnly, 'RW', isWritable);
};

export type AccessWords = Pick<Step & { readonly op: 'access' }, 'vaddr' | 'kind' | 'mode'>;

export const inWindow = ({ guest }: Evidence, address: number): string =>
  `${formatHex(address)} lies in the Switcher's window (${formatHex(guest.sizes.switcherAddress)} and above)`;

/** Where the guest's tables lead: `the guest's PTE at 0x1000 leads to page 5 since step 2`. */
export const whereTo = (evidence: Evidence, address: number): string | undefined => {
  if (evidence.guest.linear) return `in linear mode ${formatHex(address)} stands for itself`;
  const leaf = walkWords(evidence, address).find(({ isLeaf, entry }) => isLeaf && isPresent(entry));
  if (leaf === undefined) return undefined;
  const page = pageOf(leaf.entry);
  const since = evidence.history.since(leaf.at, (entry) => isPresent(entry) && pageOf(entry) === page);
  return `${leaf.name} leads to page ${page}${deviceText(evidence, page)}${sinceText(since)}`;
};

const deviceText = ({ guest }: Evidence, page: number): string => {
  const { guestPages, devicePages } = guest.config;
  return page >= guestPages && page < guestPages + devicePages ? ', a device,' : '';
};

/** Why the guest's tables as they are ask for what the reference answered; nothing if they do not ask for that. */
export const whyExpected = (evidence: Evidence): string | undefined => {
  const { step, guest, moment } = evidence;
  const { outcome } = moment.reference;
  if (outcome.kind === 'killed') return whyKilled(evidence, outcome);
  if (step?.op === 'init') return inWindowOf(evidence);
  if (step?.op === 'access') {
    const pure = uncachedAccess(guest, step.vaddr, step.kind, step.mode);
    if (differenceOf(pure, outcome) !== undefined) return undefined;
    return outcome.kind === 'fault' ? whyFault(evidence, step) : whereTo(evidence, step.vaddr);
  }
  if (step?.op !== 'guest-pa' || differenceOf(uncachedPhysical(guest, step.vaddr).outcome, outcome) !== undefined)
    return undefined;
  return whereTo(evidence, step.vaddr);
};

const inWindowOf = ({ guest }: Evidence): string =>
  `with ${guest.config.paging === 'pae' ? 'PAE' : '2-level paging'} the Switcher's window begins at ${formatHex(guest.sizes.switcherAddress)}`;

/** What in an entry makes it a bad one, if it is: `has PSE`, `leads to page 9, and guest RAM ends with page 3`. */
const badness = ({ guest }: Evidence, entry: GuestEntry, allowed: number): string | undefined => {
  const { guestPages, devicePages, paging } = guest.config;
  const bits = describeEntry(guestEntry(entry.low & FLAGS & ~allowed & ~P), paging).replace(
    /^not present, pfn 0 ?/,
    '',
  );
  if (bits !== '0' && bits !== '') return `has ${bits}`;
  if (entry.high >= 4096) return `has reserved bits, ${describeEntry(entry, paging)}`;
  const page = pageOf(entry);
  if (page < guestPages) return undefined;
  const devices = devicePages === 0 ? '' : ` and devices end with page ${guestPages + devicePages - 1}`;
  return `leads to page ${page}, and guest RAM ends with page ${guestPages - 1}${devices}`;
};

/** A leaf may have any bit but PSE. */
const LEAF_BITS = 0xf7f;

const whyBadLeaf = (evidence: Evidence, address: number): string | undefined => {
  const { step, guest } = evidence;
  if (step?.op === 'set-pte') {
    const bad = badness(evidence, step.pte, LEAF_BITS);
    return bad === undefined ? undefined : `the announced entry ${bad}`;
  }
  if (guest.linear) {
    const bad = badness(evidence, guestEntry(Math.floor(address / 4096) * 4096), LEAF_BITS);
    return bad === undefined ? undefined : `in linear mode ${formatHex(address)} ${bad}`;
  }
  return whyBad(
    evidence,
    walkWords(evidence, address).find(({ isLeaf }) => isLeaf),
    LEAF_BITS,
  );
};

const whyBad = (evidence: Evidence, met: Met | undefined, allowed: number): string | undefined => {
  if (met === undefined) return undefined;
  const bad = badness(evidence, met.entry, allowed);
  if (bad === undefined) return undefined;
  const since = evidence.history.since(met.at, (entry) => badness(evidence, entry, allowed) === bad);
  return `${met.name}${since === undefined ? '' : `, stored at step ${since},`} ${bad}`;
};

const whyBadTable = (evidence: Evidence, address: number, depth: number): string | undefined => {
  const { flags } = LEVELS[evidence.guest.config.paging][depth];
  return whyBad(evidence, walkWords(evidence, address)[depth], flags);
};

/** The address that a step is about. */
const addressOf = ({ step }: Evidence): Vaddr | undefined =>
  step !== undefined && 'vaddr' in step ? step.vaddr : undefined;

type Reason = (evidence: Evidence, numbers: readonly number[]) => string | undefined;

/** Why the guest's tables, or the rules, ask for a kill. */
const KILL_REASONS: Readonly<Record<KillCause, Reason>> = {
  'before-init': () => 'no init came before',
  'bad-hypercall': () => 'set-pmd is for PAE alone',
  'already-initialized': () => 'an init came before',
  'bad-kernel-address': (evidence, [address]) => inWindow(evidence, address),
  'bad-stack-page': (evidence, [address]) =>
    whyFault(evidence, { vaddr: vaddr(address), kind: 'write', mode: 'kernel' }),
  'bad-stack-pages': () => 'at most two stack pages may be pinned',
  'set-pte-in-switcher': (evidence) => inWindow(evidence, addressOf(evidence) ?? 0),
  'bad-pgd-index': (_, [index, entries]) => `a root has ${entries} entries, and ${index} is behind the last`,
  'bad-directory-entry': (evidence) => whyBadTable(evidence, addressOf(evidence) ?? 0, 0),
  'bad-middle-entry': (evidence) => whyBadTable(evidence, addressOf(evidence) ?? 0, 1),
  'bad-table-entry': (evidence) => whyBadLeaf(evidence, addressOf(evidence) ?? 0),
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
  const found = lastStep(evidence, (step) => step.op === 'protect' && step.page === page);
  if (found?.step.op !== 'protect') return undefined;
  const { access } = found.step;
  const rule = access === 'read' ? `lets page ${page} be taken for reading only` : `lets nobody take page ${page}`;
  return access === 'write' ? undefined : `step ${found.index} (protect) ${rule}`;
};

const whyUnmapped = (evidence: Evidence, address: number): string | undefined => {
  const absent = walkWords(evidence, address).find(({ entry }) => !isPresent(entry));
  return absent === undefined ? undefined : lacks(evidence, absent, 'P', isPresent);
};

const whyNoMemory = (evidence: Evidence): string | undefined => {
  const found = lastStep(evidence, (step) => step.op === 'fail-alloc');
  return found === undefined ? undefined : `step ${found.index} (fail-alloc) makes host allocations fail`;
};

/**
 * How the guest's tables part from a shadow leaf that was right once: `the guest unmapped it at step 4`. Nothing if they agree
 * with it.
 */
export const guestMoved = (evidence: Evidence, leaf: LeafSeen, root: Paddr | undefined): GuestMove | undefined => {
  const met = walkWords(evidence, leaf.vaddr, root);
  const installed = leaf.since ?? 0;
  const absent = met.find(({ entry }) => !isPresent(entry));
  if (absent !== undefined) {
    const since = evidence.history.since(absent.at, (entry) => !isPresent(entry));
    if (since === undefined || since < installed) return undefined;
    return { text: `the guest unmapped it at step ${since}`, step: since, paddr: absent.at };
  }
  const entry = met.find(({ isLeaf }) => isLeaf);
  if (entry === undefined || pageOf(entry.entry) === leaf.page) return undefined;
  const now = pageOf(entry.entry);
  const since = evidence.history.since(entry.at, (word) => isPresent(word) && pageOf(word) === now);
  if (since === undefined || since < installed) return undefined;
  return { text: `the guest moved it to page ${now} at step ${since}`, step: since, paddr: entry.at };
};

export interface GuestMove {
  readonly text: string;
  readonly step: number;
  readonly paddr: Paddr;
}

/** An outcome as a verb: `goes through to 0x2000`, `faults with code 3 (present, write, kernel)`. */
export const outcomeVerb = (outcome: Outcome): string => {
  switch (outcome.kind) {
    case 'mapped':
      return `go through to ${formatHex(outcome.paddr)}`;
    case 'mmio':
      return `go to the device at ${formatHex(outcome.paddr)}`;
    case 'fault':
      return describeOutcome(outcome).replace(/^fault code (\d+)/, 'fault with code $1');
    case 'killed':
      return `kill the guest ("${outcome.reason}")`;
    case 'physical':
      return `answer ${formatHex(outcome.paddr)}`;
    case 'initialized':
      return `answer that ${formatHex(outcome.reserved)} bytes are reserved`;
    case 'host-bug':
      return `break the hypervisor itself (${outcome.reason})`;
    case 'created':
    case 'no-memory':
    case 'ok':
    case 'stuck':
    case 'dead':
    case 'destroyed':
    case 'halted':
    case 'absent':
      return `answer "${describeOutcome(outcome)}"`;
    default:
      return outcome satisfies never;
  }
};

/** The same of something that happened: `went through to 0x2000`. */
export const outcomeHappened = (outcome: Outcome): string => {
  const verb = outcomeVerb(outcome);
  const past: readonly (readonly [string, string])[] = [
    ['go ', 'went '],
    ['fault ', 'faulted '],
    ['kill ', 'killed '],
    ['answer ', 'answered '],
    ['break ', 'broke '],
  ];
  const found = past.find(([now]) => verb.startsWith(now));
  return found === undefined ? verb : found[1] + verb.slice(found[0].length);
};
