import type { Paddr, ShadowView, Slot } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import { PAGING } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, hex } from './invariant.js';
import type { Moment, PreState } from './moment.js';

const CHOICES = ['same slot again', 'another slot has it', 'blank', 'evicted', 'no memory for a root'] as const;

/** Which slot was taken, and why. */
const CHOICE: Dimension = {
  name: 'choice',
  values: CHOICES,
  of: ({ preState, shadow, step }) => {
    if (preState.rootSlot !== undefined) return preState.rootSlot === preState.current ? 0 : 1;
    if (preState.candidateHadRoot) return 3;
    return step?.op === 'new-pgtable' && shadow?.hasRoot((step.draw % SLOTS) as Slot) === true ? 2 : 4;
  },
};

/** Whether the slot that was found or drawn mapped the Switcher's pages of the guest's CPU. */
const WINDOW: Dimension = {
  name: 'Switcher',
  values: ['not mapped', 'mapped'],
  of: ({ preState }) => (preState.switcherMapped ? 1 : 0),
};

/** The cache makes a context switch cheap; a wrong hit shows one process another's memory. */
export const pgdirCache: Invariant = {
  id: 'pgdir-cache',
  statement:
    'A cached root is found again with its mappings, no root is in two slots, and on a miss the draw decides which slot is taken.',
  source: 'machine.md 3, new-pgtable; find_pgdir, new_pgdir',
  exercisedBy: 'a new-pgtable that did not kill',
  harms: 'guest',
  looksAt: ['shadow'],
  contract: 'any',
  neverAlone: 'a wrong slot has other tables and mappings than the right one, which table-accounting and flush see too',
  stages: ['new-pgtable'],
  needs: [['init'], ['new-pgtable']],
  situations: [
    {
      name: 'a switch',
      stages: ['new-pgtable'],
      looksAt: 'shadow',
      dimensions: [PAGING, CHOICE, WINDOW],
      unreachable: ({ choice, Switcher: window }) =>
        window === 'mapped' && (choice === 'blank' || choice === 'no memory for a root')
          ? 'a slot without a root maps nothing'
          : undefined,
    },
  ],
  watch: () => new CacheWatch(),
};

class CacheWatch {
  /** Mappings of the hit's slot before the step, the Switcher's left out. */
  private mappings = 0;

  readonly before = ({ guest, shadow, preState: { rootSlot } }: Moment): void => {
    if (shadow === undefined || rootSlot === undefined) return;
    this.mappings = shadow.leafCountIn(rootSlot, 0, guest.sizes.switcherAddress);
  };

  readonly after = ({ step, guest, shadow, preState, subjectKind }: Moment): Verdict => {
    if (step?.op !== 'new-pgtable' || shadow === undefined || subjectKind !== 'ok') return VACUOUS;
    const found = rootTwice(shadow) ?? slotTaken(shadow, preState, step.draw % SLOTS) ?? shadowsRoot(shadow, step.root);
    if (found !== undefined) return found;
    if (preState.rootSlot === undefined || !preState.changed) return HELD;
    const now = shadow.leafCountIn(preState.rootSlot, 0, guest.sizes.switcherAddress);
    return this.mappingsKept(preState.rootSlot, now) ?? HELD;
  };

  private mappingsKept(slot: Slot, now: number): Violation | undefined {
    if (now === this.mappings) return undefined;
    return {
      kind: 'hit-changed-mappings',
      field: `mappings of slot ${slot}`,
      expected: `${this.mappings} as before`,
      actual: String(now),
      difference: 'a hit changed mappings',
      location: { slot },
    };
  }
}

const slotTaken = (shadow: ShadowView, preState: PreState, candidate: number): Violation | undefined => {
  const { rootSlot, candidateHadRoot, current } = preState;
  const expected = rootSlot ?? (candidateHadRoot || shadow.hasRoot(candidate as Slot) ? candidate : current);
  if (shadow.currentSlot === expected) return undefined;
  return {
    kind: 'wrong-slot-taken',
    field: 'current slot',
    expected: String(expected),
    actual: String(shadow.currentSlot),
    difference: rootSlot === undefined ? 'another victim' : 'a cached root was not found',
    location: { slot: shadow.currentSlot },
  };
};

const slotOf = (shadow: ShadowView, root: Paddr): Slot | undefined => {
  for (let slot = 0; slot < SLOTS; slot++) if (shadow.guestRoot(slot as Slot) === root) return slot as Slot;
  return undefined;
};

const shadowsRoot = (shadow: ShadowView, root: Paddr): Violation | undefined => {
  const shadowed = shadow.guestRoot(shadow.currentSlot);
  if (shadowed === root) return undefined;
  return {
    kind: 'wrong-root-shadowed',
    field: 'root of the current slot',
    expected: hex(root),
    actual: shadowed === undefined ? 'none' : hex(shadowed),
    difference: 'the slot shadows another root',
    location: { slot: shadow.currentSlot },
  };
};

const rootTwice = (shadow: ShadowView): Violation | undefined => {
  for (let slot = 1; slot < SLOTS; slot++) {
    const root = shadow.guestRoot(slot as Slot);
    const first = root === undefined ? undefined : slotOf(shadow, root);
    if (first === undefined || first === slot) continue;
    return {
      kind: 'root-in-two-slots',
      field: `root of slot ${slot}`,
      expected: 'one of its own',
      actual: `that of slot ${first}`,
      difference: 'a root in two slots',
      location: { slot },
    };
  }
  return undefined;
};
