/**
 * Swarm testing: what a hostile guest may do next, and how a program weighs it. Every program draws its own weights, and
 * leaves some kinds out altogether, because a mixture of everything seldom goes deep into anything.
 */

import type { Op } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';
import { meetAnEdge } from './edges.js';
import { topOf, middleOf } from './geometry.js';
import type { HostileGuest } from './hostile-guest.js';
import type { Mixture } from './mixture.js';
import { narrowUpper, runOutOfMemory, shareReadOnly } from './scenes.js';

export type Gesture = (guest: HostileGuest) => void;

interface WeighedGesture {
  readonly weight: number;
  readonly gesture: Gesture;
}

const touch: Gesture = (guest) => guest.touch(guest.address());

/** A leaf is stored and announced, as a coherent guest would. */
const tellLeaf: Gesture = (guest) => {
  const leaf = guest.leaf();
  guest.storeLeaf(leaf);
  guest.setPte(guest.root(), guest.page(), leaf);
};

const tellTop: Gesture = (guest) => {
  const root = guest.root();
  const region = guest.region();
  guest.storeTop(root, region);
  guest.setPgd(root, topOf(guest.geometry, region));
};

/** A root entry is announced as changed, of any root, and then the guest goes there and looks. */
const tellTopAndGo: Gesture = (guest) => {
  const root = guest.root();
  guest.setPgd(root, guest.top());
  guest.newPgtable(root);
  touch(guest);
};

const storeUpper: Gesture = (guest) => {
  if (guest.pool.middles.length > 0 && guest.draw.bits(1) === 0) {
    guest.storeMiddle(guest.draw.pick(guest.pool.middles), guest.region());
  } else {
    guest.storeTop(guest.root(), guest.region());
  }
};

const setPmd: Gesture = (guest) => {
  if (guest.geometry.paging === '2-level') return touch(guest);
  guest.setPmd(guest.draw.pick(guest.pool.middles), middleOf(guest.geometry, guest.region()));
};

/** What every program does. */
const ALWAYS: readonly WeighedGesture[] = [{ weight: 12, gesture: touch }];

/** What three programs in four do. */
const OFTEN: readonly WeighedGesture[] = [
  { weight: 12, gesture: touch },
  { weight: 3, gesture: (guest) => guest.storeLeaf(guest.leaf()) },
  { weight: 1, gesture: storeUpper },
  { weight: 3, gesture: tellLeaf },
  { weight: 3, gesture: (guest) => guest.setPte(guest.root(), guest.page(), guest.leaf()) },
  { weight: 1, gesture: tellTop },
  { weight: 1, gesture: tellTopAndGo },
  { weight: 1, gesture: (guest) => guest.setPgd(guest.root(), guest.top()) },
  { weight: 4, gesture: (guest) => guest.newPgtable(guest.root()) },
  { weight: 1, gesture: (guest) => guest.flush('user') },
  { weight: 1, gesture: (guest) => guest.flush('all') },
  { weight: 2, gesture: (guest) => guest.migrate() },
];

/** What one program in four does, because most programs soon die of it. */
const SELDOM: readonly WeighedGesture[] = [
  { weight: 1, gesture: setPmd },
  { weight: 1, gesture: (guest) => guest.setPoolStack(guest.draw.pick([0, 1, 1, 1, 1, 1, 1, 2])) },
  { weight: 1, gesture: (guest) => guest.guestPa(guest.address()) },
  { weight: 1, gesture: runOutOfMemory },
  { weight: 1, gesture: (guest) => guest.protect(guest.draw.pick(guest.pool.data)) },
  { weight: 1, gesture: shareReadOnly },
  { weight: 1, gesture: narrowUpper },
  { weight: 2, gesture: meetAnEdge },
];

/** One for each kind of step, with nothing arranged but what the pool holds. */
const ONE_OF_EACH: Readonly<Record<Op, Gesture>> = {
  store: (guest) => (guest.draw.bits(1) === 0 ? storeUpper(guest) : guest.storeLeaf(guest.leaf())),
  init: (guest) => guest.init(guest.pool.kernelAddress),
  'new-pgtable': (guest) => guest.newPgtable(guest.root()),
  'flush-tlb': (guest) => guest.flush(guest.draw.bits(1) === 0 ? 'user' : 'all'),
  'set-stack': (guest) => guest.setPoolStack(guest.draw.below(3)),
  'set-pmd': (guest) => guest.setPmd(guest.draw.pick(guest.pool.leaves), middleOf(guest.geometry, guest.region())),
  'set-pte': (guest) => guest.setPte(guest.root(), guest.page(), guest.leaf()),
  'set-pgd': (guest) => guest.setPgd(guest.root(), guest.top()),
  access: touch,
  'guest-pa': (guest) => guest.guestPa(guest.address()),
  migrate: (guest) => guest.migrate(),
  'fail-alloc': (guest) => guest.failAlloc(guest.draw.below(4)),
  protect: (guest) => guest.protect(guest.draw.pick(guest.pool.data)),
};
const UNIFORM: readonly Gesture[] = Object.values(ONE_OF_EACH);

/** By two random bits: off in one program of four, for what is seldom in three of four. */
const ALWAYS_FACTORS: readonly number[] = [1, 1, 1, 2];
const OFTEN_FACTORS: readonly number[] = [0, 1, 1, 2];
const SELDOM_FACTORS: readonly number[] = [0, 0, 0, 1];
const SAME_FACTORS: readonly number[] = [1, 1, 1, 1];

const addTickets = (
  tickets: Gesture[],
  gestures: readonly WeighedGesture[],
  factors: readonly number[],
  draw: Draw,
): void => {
  let bits = draw.word();
  for (const { weight, gesture } of gestures) {
    const count = weight * (factors[bits & 3] ?? 0);
    bits >>>= 2;
    for (let i = 0; i < count; i++) tickets.push(gesture);
  }
};

/** A program's lottery: each gesture as many times as it weighs. */
export const drawGestures = (draw: Draw, mixture: Mixture): readonly Gesture[] => {
  if (mixture === 'uniform') return UNIFORM;
  const swarm = mixture === 'swarm';
  const tickets: Gesture[] = [];
  addTickets(tickets, ALWAYS, swarm ? ALWAYS_FACTORS : SAME_FACTORS, draw);
  addTickets(tickets, OFTEN, swarm ? OFTEN_FACTORS : SAME_FACTORS, draw);
  addTickets(tickets, SELDOM, swarm ? SELDOM_FACTORS : SAME_FACTORS, draw);
  return tickets;
};
