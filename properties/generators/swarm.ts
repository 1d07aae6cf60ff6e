/**
 * Swarm testing: the actions of a hostile guest. Every program draws its own weights and disables some actions altogether, because a
 * mixture of everything rarely goes deep into anything.
 */

import type { Op } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';
import { meetEdge, narrowUpper, repeatOneThing, runOutOfMemory, shareReadOnly } from './sequences.js';
import { topOf, middleOf } from './geometry.js';
import type { HostileGuest } from './hostile-guest.js';
import type { Mixture } from './case.js';
import { isLong } from './case.js';

export type Action = (guest: HostileGuest) => void;

interface WeightedAction {
  readonly weight: number;
  readonly action: Action;
}

const touch: Action = (guest) => guest.touch(guest.address());

/** Stores a leaf and announces it, as a coherent guest would (but perhaps for another address). */
const announceLeaf: Action = (guest) => {
  const leaf = guest.leaf();
  guest.storeLeaf(leaf);
  guest.setPte(guest.root(), guest.announcedAddress(), leaf);
};

const announceTop: Action = (guest) => {
  const root = guest.root();
  const region = guest.region();
  guest.storeTop(root, region);
  guest.setPgd(root, topOf(guest.geometry, region));
};

/** Announces a change of a root entry, then switches to that root and touches an address. */
const announceTopAndSwitch: Action = (guest) => {
  const root = guest.root();
  guest.setPgd(root, guest.top());
  guest.newPgtable(root);
  touch(guest);
};

const storeUpper: Action = (guest) => {
  if (guest.layout.middles.length > 0 && guest.draw.bits(1) === 0) {
    guest.storeMiddle(guest.draw.pick(guest.layout.middles), guest.region());
  } else {
    guest.storeTop(guest.root(), guest.region());
  }
};

const setPmd: Action = (guest) => {
  if (guest.geometry.paging === '2-level') return touch(guest);
  guest.setPmd(guest.draw.pick(guest.layout.middles), middleOf(guest.geometry, guest.region()));
};

/** In every program. */
const ALWAYS: readonly WeightedAction[] = [{ weight: 12, action: touch }];

/** In three programs of four. */
const OFTEN: readonly WeightedAction[] = [
  { weight: 12, action: touch },
  { weight: 3, action: (guest) => guest.storeLeaf(guest.leaf()) },
  { weight: 1, action: storeUpper },
  { weight: 3, action: announceLeaf },
  { weight: 3, action: (guest) => guest.setPte(guest.root(), guest.announcedAddress(), guest.leaf()) },
  { weight: 1, action: announceTop },
  { weight: 1, action: announceTopAndSwitch },
  { weight: 1, action: (guest) => guest.setPgd(guest.root(), guest.top()) },
  { weight: 4, action: (guest) => guest.newPgtable(guest.root()) },
  { weight: 1, action: (guest) => guest.flush('user') },
  { weight: 1, action: (guest) => guest.flush('all') },
  { weight: 2, action: (guest) => guest.migrate() },
];

/** In one program of four, because they tend to kill the guest. */
const SELDOM: readonly WeightedAction[] = [
  { weight: 1, action: setPmd },
  { weight: 1, action: (guest) => guest.setUsualStack(guest.draw.pick([0, 1, 1, 1, 1, 1, 1, 2])) },
  { weight: 1, action: (guest) => guest.guestPa(guest.address()) },
  { weight: 1, action: runOutOfMemory },
  { weight: 1, action: (guest) => guest.protect(guest.draw.pick(guest.layout.data)) },
  { weight: 1, action: shareReadOnly },
  { weight: 1, action: narrowUpper },
  { weight: 2, action: meetEdge },
];

/** The baseline: one action for each kind of step, with operands from the layout. */
const ONE_OF_EACH: Readonly<Record<Op, Action>> = {
  store: (guest) => (guest.draw.bits(1) === 0 ? storeUpper(guest) : guest.storeLeaf(guest.leaf())),
  init: (guest) => guest.init(guest.layout.kernelAddress),
  'new-pgtable': (guest) => guest.newPgtable(guest.root()),
  'flush-tlb': (guest) => guest.flush(guest.draw.bits(1) === 0 ? 'user' : 'all'),
  'set-stack': (guest) => guest.setUsualStack(guest.draw.below(3)),
  'set-pmd': (guest) => guest.setPmd(guest.draw.pick(guest.layout.leaves), middleOf(guest.geometry, guest.region())),
  'set-pte': (guest) => guest.setPte(guest.root(), guest.announcedAddress(), guest.leaf()),
  'set-pgd': (guest) => guest.setPgd(guest.root(), guest.top()),
  access: touch,
  'guest-pa': (guest) => guest.guestPa(guest.address()),
  migrate: (guest) => guest.migrate(),
  'fail-alloc': (guest) => guest.failAlloc(guest.draw.below(4)),
  protect: (guest) => guest.protect(guest.draw.pick(guest.layout.data)),
};
const UNIFORM: readonly Action[] = Object.values(ONE_OF_EACH);

/** Multiples of a weight, by two random bits. */
const ALWAYS_FACTORS: readonly number[] = [1, 1, 1, 2];
const OFTEN_FACTORS: readonly number[] = [0, 1, 1, 2];
const SELDOM_FACTORS: readonly number[] = [0, 0, 0, 1];
const SAME_FACTORS: readonly number[] = [1, 1, 1, 1];

const addActions = (
  tickets: Action[],
  actions: readonly WeightedAction[],
  factors: readonly number[],
  draw: Draw,
): void => {
  let bits = draw.word();
  for (const { weight, action } of actions) {
    for (let left = weight * (factors[bits & 3] ?? 0); left > 0; left--) tickets.push(action);
    bits >>>= 2;
  }
};

/** A program's lottery: each action as many times as it weighs. A long program repeats things instead of risking the guest's life. */
export const drawActions = (draw: Draw, mixture: Mixture, mostSteps: number): readonly Action[] => {
  if (mixture === 'uniform') return UNIFORM;
  const swarm = mixture === 'swarm';
  const tickets: Action[] = [];
  addActions(tickets, ALWAYS, swarm ? ALWAYS_FACTORS : SAME_FACTORS, draw);
  addActions(tickets, OFTEN, swarm ? OFTEN_FACTORS : SAME_FACTORS, draw);
  if (isLong(mostSteps)) tickets.push((guest) => repeatOneThing(guest, mostSteps));
  else addActions(tickets, SELDOM, swarm ? SELDOM_FACTORS : SAME_FACTORS, draw);
  return tickets;
};
