import type { ShadowLeaf } from '../../model/vocabulary/index.js';
import { vpnOf } from '../../model/vocabulary/index.js';
import { D, P, RW, US } from '../entry-bits.js';
import { dirty, pageOf, uncachedWalk } from '../uncached-walk.js';
import { ENTRY, HALF, PAGING, PINNERS, rightsAt, setPmdNeedsPae } from './situations/dimensions.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, hex } from './invariant.js';
import type { Aftermath, Moment } from './moment.js';

/** What the guest's entries allow a leaf. */
interface Grant {
  readonly page: number;
  readonly writable: boolean;
  readonly user: boolean;
  /** The upper entry comes from the same walk, so that the rights of both count together. */
  readonly walked: boolean;
}

/** Keeps a guest's user code out of its kernel, and its dirty bits true. */
export const leastPrivilege: Invariant = {
  id: 'least-privilege',
  statement:
    'A leaf allows no more than the entries it came from: writable only with RW on every level and D set, user only with US all the way.',
  source: 'machine.md 3, set-pte and demand 3 and 6; KVM b1bd5cba3306 (permission merge)',
  exercisedBy: 'a step that installed a leaf for the guest',
  harms: 'guest',
  looksAt: ['shadow'],
  contract: 'any',
  neverAlone: 'a right too many shows in the outcome of the first access that uses it, which translation sees too',
  stages: [...PINNERS, 'init', 'set-pte', 'access'],
  whenQuiet: [],
  situations: [
    {
      name: 'a leaf filled',
      stages: ['access'],
      looksAt: 'shadow',
      dimensions: [PAGING, rightsAt(({ step }) => (step?.op === 'access' ? step.vaddr : 0))],
    },
    {
      name: 'a leaf announced',
      stages: ['set-pte'],
      dimensions: [PAGING, HALF, ENTRY],
      unreachable: ({ entry }) =>
        entry === 'not present' || entry === 'not accessed' ? 'nothing is installed before it is touched' : undefined,
    },
    {
      name: 'the stack pinned',
      stages: PINNERS,
      dimensions: [PAGING],
      unreachable: setPmdNeedsPae,
    },
  ],
  watch: () => new LeastPrivilegeWatch(),
};

class LeastPrivilegeWatch {
  private moment: Aftermath | undefined = undefined;
  private seen = 0;
  private found: Violation | undefined = undefined;

  readonly after = (moment: Moment): Verdict => {
    this.moment = moment;
    this.seen = 0;
    this.found = undefined;
    moment.shadow?.forEachWrittenLeaf(this.look);
    return this.found ?? (this.seen === 0 ? VACUOUS : HELD);
  };

  /** Only a coherent guest announced whatever its entries no longer allow. */
  readonly audit = (moment: Aftermath): Verdict => {
    const { shadow, contractKept } = moment;
    if (shadow === undefined || !contractKept) return VACUOUS;
    this.moment = moment;
    this.seen = 0;
    this.found = undefined;
    shadow.forEachLeaf(shadow.currentSlot, this.look);
    return this.found ?? (this.seen === 0 ? VACUOUS : HELD);
  };

  private readonly look = (leaf: ShadowLeaf): void => {
    if (leaf.target !== 'ram' || this.moment === undefined) return;
    const grant = grantFor(leaf, this.moment);
    if (grant === 'unknown') return;
    this.seen++;
    this.found ??= judge(leaf, grant);
  };
}

const judge = (leaf: ShadowLeaf, grant: Grant | 'none'): Violation | undefined => {
  if (grant === 'none') {
    return wrong(leaf, 'leaf-without-entry', 'no leaf: the guest has no entry', `page ${leaf.page}`, 'no entry');
  }
  if (leaf.page !== grant.page) {
    return wrong(leaf, 'leaf-to-another-page', `page ${grant.page}`, `page ${leaf.page}`, 'another page');
  }
  const writable = leaf.writable && (leaf.upperWritable || !grant.walked);
  const user = leaf.user && (leaf.upperUser || !grant.walked);
  if (writable && !grant.writable) return wrong(leaf, 'leaf-writable', 'read-only', 'writable', 'writable');
  return user && !grant.user ? wrong(leaf, 'leaf-for-user', 'supervisor', 'user', 'user') : undefined;
};

const wrong = (
  { vaddr, slot }: ShadowLeaf,
  kind: Violation['kind'],
  expected: string,
  actual: string,
  difference: string,
): Violation => {
  const field = `leaf for ${hex(vaddr)} in slot ${slot}`;
  return { kind, field, expected, actual, difference, location: { vaddr, slot } };
};

/**
 * `set-pte` installs the entry that it announces; all other steps install what a walk finds. `unknown`: a table that maps itself
 * may be spoilt by the A and D bits that this step wrote into it.
 */
const grantFor = (leaf: ShadowLeaf, { step, guest }: Aftermath): Grant | 'none' | 'unknown' => {
  if (step?.op === 'set-pte' && vpnOf(step.vaddr) === vpnOf(leaf.vaddr)) {
    const { low } = step.pte;
    if ((low & P) === 0) return 'none';
    return {
      page: pageOf(step.pte),
      writable: (low & RW) !== 0 && (low & D) !== 0,
      user: (low & US) !== 0,
      walked: false,
    };
  }
  const walk = uncachedWalk(guest, leaf.vaddr);
  if (walk.kind === 'killed') return 'unknown';
  if (walk.kind === 'absent' || walk.kind === 'reserved') return 'none';
  const mayWrite = walk.writable && (guest.linear || dirty(walk.entry));
  return { page: pageOf(walk.entry), writable: mayWrite, user: walk.user, walked: true };
};
