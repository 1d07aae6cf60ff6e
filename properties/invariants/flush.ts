import type { ShadowView, Slot } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import { ENTRY, HALF, PAGING, SLOTS_IN_USE, setPmdNeedsPae } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS } from './invariant.js';
import type { Moment, Stage } from './moment.js';

/** Which mappings a step must take away: a range of addresses, in one slot or in all. */
interface Extent {
  readonly from: number;
  readonly to: number;
  readonly slot: Slot | 'every';
}

const SCOPE: Dimension = {
  name: 'scope',
  values: ['all', 'user'],
  of: ({ step }) => (step?.op === 'flush-tlb' && step.scope === 'user' ? 1 : 0),
};

/** `set-pgd`: whether the slot that shadows its root is the current one. */
const WHERE: Dimension = {
  name: 'slot',
  values: ['current', 'another'],
  of: ({ preState }) => (preState.rootSlot === preState.current ? 0 : 1),
};

const CLEARERS: readonly Stage[] = ['init', 'set-pmd'];

/** Flushing too little leaves stale mappings; flushing too much slows the guest down. */
export const flush: Invariant = {
  id: 'flush',
  statement: 'What a flush must take away is gone afterwards, and nothing else is.',
  source: 'machine.md 3, flush-tlb, flush user half, clear all, set-pgd, set-pte; KVM 4539b35881a (missed flush)',
  exercisedBy: 'a flush that found at least one mapping to take away',
  harms: 'guest',
  looksAt: ['shadow'],
  contract: 'any',
  neverAlone: 'a mapping that stays, or goes, changes a reference in the same step, which reference-count sees too',
  stages: ['init', 'flush-tlb', 'set-pmd', 'set-pte', 'set-pgd', 'new-pgtable'],
  needs: [['init'], ['new-pgtable', 'flush-tlb']],
  whenQuiet: [],
  situations: [
    { name: 'asked for', stages: ['flush-tlb'], looksAt: 'shadow', dimensions: [SCOPE, PAGING, SLOTS_IN_USE] },
    { name: 'a root entry changed', stages: ['set-pgd'], looksAt: 'shadow', dimensions: [PAGING, WHERE] },
    { name: 'a leaf announced', stages: ['set-pte'], looksAt: 'shadow', dimensions: [PAGING, HALF, ENTRY] },
    {
      name: 'a slot taken from another root',
      stages: ['new-pgtable'],
      looksAt: 'shadow',
      dimensions: [PAGING, SLOTS_IN_USE],
    },
    { name: 'everything', stages: CLEARERS, dimensions: [PAGING], unreachable: setPmdNeedsPae },
  ],
  watch: () => new FlushWatch(),
};

/** The number of leaves that each slot has inside and outside a range of addresses; the Switcher's are left out. */
class Census {
  readonly inside = new Float64Array(SLOTS);
  readonly outside = new Float64Array(SLOTS);

  /** Counts every slot's leaves in `from` … `to` − 1, and elsewhere below `top`. */
  take(shadow: ShadowView, from: number, to: number, top: number): void {
    const end = Math.min(to, top);
    for (let index = 0; index < SLOTS; index++) {
      const slot = index as Slot;
      this.inside[slot] = shadow.leafCountIn(slot, from, end);
      this.outside[slot] = shadow.leafCountIn(slot, 0, from) + shadow.leafCountIn(slot, end, top);
    }
  }
}

class FlushWatch {
  private readonly census = new Census();
  private readonly afterwards = new Census();
  private extent: Extent | undefined = undefined;
  /** The shadow tables that `census` counted. */
  private version = 0;

  readonly before = (moment: Moment): void => {
    this.extent = extentOf(moment);
    if (this.extent === undefined || moment.shadow === undefined) return;
    this.version = moment.shadow.shadowVersion;
    this.census.take(moment.shadow, this.extent.from, this.extent.to, moment.guest.sizes.switcherAddress);
  };

  readonly after = (moment: Moment): Verdict => {
    const { shadow, subjectKind, guest } = moment;
    if (this.extent === undefined || shadow === undefined) return VACUOUS;
    if (subjectKind !== 'ok' && subjectKind !== 'initialized') return VACUOUS;
    const changed = shadow.shadowVersion !== this.version;
    if (changed) this.afterwards.take(shadow, this.extent.from, this.extent.to, guest.sizes.switcherAddress);
    return (
      this.compare(this.extent, changed ? this.afterwards : this.census, moment) ??
      (this.foundSomething(this.extent) ? HELD : VACUOUS)
    );
  };

  private compare(extent: Extent, afterwards: Census, moment: Moment): Violation | undefined {
    for (let slot = 0; slot < SLOTS; slot++) {
      const concerned = extent.slot === 'every' || extent.slot === slot;
      const left = afterwards.inside[slot];
      const allowed = concerned ? allowedToStay(moment, slot) : this.census.inside[slot];
      if (concerned && left > allowed) {
        const expected = `${allowed} left in range`;
        return wrong(slot, 'mappings-stayed', expected, `${left} left`, 'mappings stayed');
      }
      if (!concerned && left !== allowed) {
        const difference = 'mappings of another slot went';
        return wrong(slot, 'mappings-of-another-slot-went', `${allowed} as before`, String(left), difference);
      }
      const kept = afterwards.outside[slot];
      const before = this.census.outside[slot];
      if (kept < before) {
        const expected = `${before} kept out of range`;
        return wrong(slot, 'other-mappings-went', expected, String(kept), 'other mappings went');
      }
    }
    return undefined;
  }

  private foundSomething(extent: Extent): boolean {
    for (let slot = 0; slot < SLOTS; slot++) {
      if ((extent.slot === 'every' || extent.slot === slot) && this.census.inside[slot] > 0) return true;
    }
    return false;
  }
}

const wrong = (
  slot: number,
  kind: Violation['kind'],
  expected: string,
  actual: string,
  difference: string,
): Violation => ({ kind, field: `mappings of slot ${slot}`, expected, actual, difference, location: { slot } });

/** A clear all pins the stack again; a set-pte may install its entry. */
const allowedToStay = ({ stage, guest, shadow, step }: Moment, slot: number): number => {
  if (step?.op === 'set-pte') return (step.pte.low & 0x21) === 0x21 ? 1 : 0;
  const cleared = stage === 'init' || stage === 'set-pmd' || (step?.op === 'flush-tlb' && step.scope === 'all');
  return cleared && slot === shadow?.currentSlot ? guest.stackPages : 0;
};

const EVERYTHING: Extent = { from: 0, to: 2 ** 32, slot: 'every' };

/** Called before the step. */
const extentOf = ({ step, guest, shadow, preState }: Moment): Extent | undefined => {
  if (shadow === undefined || step === undefined) return undefined;
  switch (step.op) {
    case 'init':
    case 'set-pmd':
      return EVERYTHING;
    case 'flush-tlb':
      return step.scope === 'all' ? EVERYTHING : { from: 0, to: guest.kernelAddress, slot: shadow.currentSlot };
    case 'set-pgd': {
      const slot = preState.rootSlot;
      const from = step.index * guest.sizes.rootEntryReach;
      return slot === undefined ? undefined : { from, to: from + guest.sizes.rootEntryReach, slot };
    }
    case 'set-pte': {
      if (guest.linear) return undefined;
      const slot = step.vaddr >= guest.kernelAddress ? 'every' : preState.rootSlot;
      // Most announcements are for addresses that no slot maps.
      if (slot === undefined || (preState.mappedIn & (slot === 'every' ? 0xf : 1 << slot)) === 0) return undefined;
      const from = Math.floor(step.vaddr / 4096) * 4096;
      return { from, to: from + 4096, slot };
    }
    case 'new-pgtable': {
      if (guest.linear || preState.rootSlot !== undefined) return undefined;
      const slot = (step.draw % SLOTS) as Slot;
      return shadow.hasRoot(slot) ? { from: 0, to: guest.kernelAddress, slot } : undefined;
    }
    default:
      return undefined;
  }
};
