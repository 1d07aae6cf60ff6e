import type { EntryChange, GuestEntry, OutcomeKind, Paddr } from '../../model/vocabulary/index.js';
import { OPS, bareOutcome, sameEntry } from '../../model/vocabulary/index.js';
import { A, D } from '../entry-bits.js';
import { accessed, dirty, uncachedWalk } from '../uncached-walk.js';
import type { GuestRecord } from '../guest-record.js';
import { ACCESS, GUEST, PAGING, PINNERS, setPmdNeedsPae } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, hex, stateless } from './invariant.js';
import type { Moment } from './moment.js';

const STORED: Dimension = {
  name: 'guest’s leaf',
  values: ['as it was', 'changed'],
  of: ({ subject }) => Math.min(subject.stores.length, 1),
};

/** The hypervisor must set A and D in the guest's tables, and may write nothing else to guest RAM. */
export const accessedDirty: Invariant = {
  id: 'accessed-dirty',
  statement:
    'Guest RAM is the same on both sides; the hypervisor wrote nothing but A and D, and in coherent traffic an access leaves A set and a write D.',
  source: 'machine.md 3, demand 6; 4, stores; KVM 760db773fbd (dirty lost)',
  exercisedBy:
    'a step that changed guest RAM, or a coherent access that went through; the end of a program that stored',
  harms: 'guest',
  looksAt: ['stores', 'upper stores', 'ram'],
  contract: 'any',
  ofRacy: false,
  stages: ['create', ...OPS, 'end', 'destroy'],
  needs: [['store']],
  whenQuiet: ['access'],
  situations: [
    {
      name: 'an access',
      stages: ['access'],
      dimensions: [PAGING, ACCESS, GUEST, STORED],
      unreachable: ({ guest, [STORED.name]: leaf }) =>
        guest === 'hostile' && leaf === 'as it was' ? 'a hostile guest may have hidden the leaf since' : undefined,
    },
    {
      name: 'the stack pinned',
      stages: PINNERS,
      needs: 'set-stack',
      dimensions: [PAGING],
      unreachable: setPmdNeedsPae,
    },
    { name: 'RAM at the end', stages: ['end'], looksAt: 'ram', dimensions: [PAGING, GUEST] },
  ],
  watch: stateless((moment) => {
    if (moment.stage === 'end') return compareRam(moment);
    const { subject, modelKind, subjectKind } = moment;
    if (!observed(subjectKind) || !observed(modelKind)) return VACUOUS;
    const stores = compareStores(moment) ?? lookAtLeaf(moment);
    if (stores !== undefined) return stores;
    return subject.stores.length > 0 || (moment.contractKept && subjectKind === 'mapped') ? HELD : VACUOUS;
  }),
};

const observed = (kind: OutcomeKind): boolean => !bareOutcome(kind);

const compareStores = ({ model, subject, guest }: Moment): Violation | undefined => {
  const count = Math.max(model.stores.length, subject.stores.length);
  for (let index = 0; index < count; index++) {
    const found = compareStore(model.stores[index], subject.stores[index], guest);
    if (found !== undefined) return found;
  }
  return undefined;
};

const compareStore = (
  expected: EntryChange | undefined,
  actual: EntryChange | undefined,
  guest: GuestRecord,
): Violation | undefined => {
  if (actual === undefined) {
    return wrongStore(expected, expected === undefined ? '' : show(expected), 'no such store', 'store missing');
  }
  if (!onlyAccessedDirty(guest.word(actual.paddr), actual.value)) {
    return wrongStore(actual, 'A and D alone change', show(actual), 'other bits than A and D written');
  }
  if (expected === undefined) return wrongStore(actual, 'no such store', show(actual), 'store not called for');
  if (expected.paddr !== actual.paddr) return wrongStore(expected, show(expected), show(actual), 'store elsewhere');
  if (sameEntry(expected.value, actual.value)) return undefined;
  const differing = expected.value.low ^ actual.value.low;
  const bits = `${differing & A ? 'A' : ''}${differing & D ? 'D' : ''}`;
  return wrongStore(expected, show(expected), show(actual), `${bits || 'other bits'} differ`);
};

const wrongStore = (
  store: EntryChange | undefined,
  expected: string,
  actual: string,
  difference: string,
): Violation => ({
  kind: 'wrong-store',
  field: 'stores',
  expected,
  actual,
  difference,
  ...(store === undefined ? {} : { location: { paddr: store.paddr } }),
});

/** `before` comes from the guest's record, which already holds what the model wrote: A and D at most. */
const onlyAccessedDirty = (before: GuestEntry, after: GuestEntry): boolean =>
  before.high === after.high && ((before.low ^ after.low) & ~(A | D)) === 0;

/** In coherent traffic an access leaves A set in the guest's leaf, and a write D. */
const lookAtLeaf = ({ contractKept, step, subjectKind, guest }: Moment): Violation | undefined => {
  if (!contractKept || subjectKind !== 'mapped' || step?.op !== 'access' || guest.linear) return undefined;
  const walk = uncachedWalk(guest, step.vaddr);
  if (walk.kind !== 'leaf') return undefined;
  const lacks = (bit: string, difference: string): Violation => ({
    kind: 'accessed-or-dirty-missing',
    field: 'guest entry',
    expected: `${bit} set`,
    actual: `${bit} clear`,
    difference,
    location: { vaddr: step.vaddr },
  });
  if (!accessed(walk.entry)) return lacks('A', 'A missing after an access');
  return step.kind === 'write' && !dirty(walk.entry) ? lacks('D', 'D missing after a write') : undefined;
};

/** Not of a killed guest: a killed step's other effects are not compared (machine.md 3, Kills). */
const compareRam = ({ guest, ram, subjectKind }: Moment): Verdict => {
  if (ram === undefined || !observed(subjectKind)) return VACUOUS;
  let found: Violation | undefined;
  const compare = (address: Paddr): void => {
    const actual = ram.word(address);
    const expected = guest.word(address);
    if (!sameEntry(expected, actual)) found ??= ramDiffers(address, expected, actual);
  };
  guest.writtenAddresses.forEach(compare);
  ram.forEachWritten((address) => {
    if (!guest.wasWritten(address)) compare(address);
  });
  return found ?? (guest.writtenAddresses.length === 0 ? VACUOUS : HELD);
};

const ramDiffers = (address: Paddr, expected: GuestEntry, actual: GuestEntry): Violation => ({
  kind: 'guest-ram',
  field: `guest RAM at ${hex(address)}`,
  expected: hexEntry(expected),
  actual: hexEntry(actual),
  difference: 'guest RAM differs',
  location: { paddr: address },
});

const show = ({ paddr, value }: EntryChange): string => `${hex(paddr)} = ${hexEntry(value)}`;

const hexEntry = ({ low, high }: GuestEntry): string =>
  high === 0 ? hex(low) : `${hex(high)}${low.toString(16).padStart(8, '0')}`;
