import type { Paddr, ShadowView, Slot } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import type { Invariant, Moment, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, hex, violation } from './invariant.js';

/** The cache is what makes a context switch cheap, and a wrong hit one process's view of another's memory. */
export const pgdirCache: Invariant = {
  id: 'pgdir-cache',
  statement:
    'A cached root is found again with its mappings, no root is in two slots, and on a miss the draw decides which slot is taken.',
  source: 'machine.md 3, new-pgtable; find_pgdir, new_pgdir',
  exercisedBy: 'a new-pgtable that did not kill',
  looksAt: 'shadow',
  contract: 'any',
  neverAlone: 'a wrong slot has other tables and mappings than the right one, which table-accounting and flush see too',
  stages: ['new-pgtable'],
  watch: () => new CacheWatch(),
};

class CacheWatch {
  private hit: Slot | undefined = undefined;
  /** Mappings of the hit's slot before the step, the Switcher's left out. */
  private mappings = 0;
  private current = 0;
  private candidateHadRoot = false;

  before({ step, guest, shadow }: Moment): void {
    if (step?.op !== 'new-pgtable' || shadow === undefined) return;
    this.hit = guest.linear ? undefined : slotOf(shadow, step.root);
    this.current = shadow.currentSlot;
    this.candidateHadRoot = shadow.hasRoot((step.draw % SLOTS) as Slot);
    if (this.hit !== undefined) this.mappings = shadow.leafCountIn(this.hit, 0, guest.sizes.switcherAddress);
  }

  after({ step, guest, shadow, subjectKind }: Moment): Verdict {
    if (step?.op !== 'new-pgtable' || shadow === undefined || subjectKind !== 'ok') return VACUOUS;
    const found = rootTwice(shadow) ?? this.slotTaken(shadow, step.draw % SLOTS) ?? shadowsRoot(shadow, step.root);
    if (found !== undefined) return found;
    if (this.hit === undefined) return HELD;
    return this.mappingsKept(this.hit, shadow.leafCountIn(this.hit, 0, guest.sizes.switcherAddress)) ?? HELD;
  }

  private slotTaken(shadow: ShadowView, candidate: number): Violation | undefined {
    const expected =
      this.hit ?? (this.candidateHadRoot || shadow.hasRoot(candidate as Slot) ? candidate : this.current);
    if (shadow.currentSlot === expected) return undefined;
    const difference = this.hit === undefined ? 'another victim' : 'a cached root was not found';
    return violation('current slot', String(expected), String(shadow.currentSlot), difference);
  }

  private mappingsKept(slot: Slot, now: number): Violation | undefined {
    if (now === this.mappings) return undefined;
    return violation(`mappings of slot ${slot}`, `${this.mappings} as before`, String(now), 'a hit changed mappings');
  }
}

const slotOf = (shadow: ShadowView, root: Paddr): Slot | undefined => {
  for (let slot = 0; slot < SLOTS; slot++) if (shadow.guestRoot(slot as Slot) === root) return slot as Slot;
  return undefined;
};

const shadowsRoot = (shadow: ShadowView, root: Paddr): Violation | undefined => {
  const shadowed = shadow.guestRoot(shadow.currentSlot);
  if (shadowed === root) return undefined;
  const actual = shadowed === undefined ? 'none' : hex(shadowed);
  return violation('root of the current slot', hex(root), actual, 'the slot shadows another root');
};

const rootTwice = (shadow: ShadowView): Violation | undefined => {
  for (let slot = 1; slot < SLOTS; slot++) {
    const root = shadow.guestRoot(slot as Slot);
    const first = root === undefined ? undefined : slotOf(shadow, root);
    if (first === undefined || first === slot) continue;
    return violation(`root of slot ${slot}`, 'one of its own', `that of slot ${first}`, 'a root in two slots');
  }
  return undefined;
};
