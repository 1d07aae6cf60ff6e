import type { Paddr, ShadowView, Slot } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import { Census } from './census.js';
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
  stages: ['new-pgtable'],
  watch: () => new CacheWatch(),
};

class CacheWatch {
  private readonly census = new Census();
  private readonly afterwards = new Census();
  private hit: Slot | undefined = undefined;
  private current = 0;
  private candidateHadRoot = false;

  before({ step, guest, shadow }: Moment): void {
    if (step?.op !== 'new-pgtable' || shadow === undefined) return;
    this.hit = guest.linear ? undefined : slotOf(shadow, step.root);
    this.current = shadow.currentSlot;
    this.candidateHadRoot = shadow.hasRoot((step.draw % SLOTS) as Slot);
    if (this.hit !== undefined) this.census.take(shadow, 0, guest.kernelAddress, guest.sizes.switcherAddress);
  }

  after({ step, guest, shadow, subject }: Moment): Verdict {
    if (step?.op !== 'new-pgtable' || shadow === undefined || subject.outcome.kind !== 'ok') return VACUOUS;
    const found = rootTwice(shadow) ?? this.slotTaken(shadow, step.draw % SLOTS) ?? shadowsRoot(shadow, step.root);
    if (found !== undefined) return found;
    if (this.hit === undefined) return HELD;
    this.afterwards.take(shadow, 0, guest.kernelAddress, guest.sizes.switcherAddress);
    return this.mappingsKept(this.hit) ?? HELD;
  }

  private slotTaken(shadow: ShadowView, candidate: number): Violation | undefined {
    const expected =
      this.hit ?? (this.candidateHadRoot || shadow.hasRoot(candidate as Slot) ? candidate : this.current);
    if (shadow.currentSlot === expected) return undefined;
    const difference = this.hit === undefined ? 'another victim' : 'a cached root was not found';
    return violation('current slot', String(expected), String(shadow.currentSlot), difference);
  }

  private mappingsKept(slot: Slot): Violation | undefined {
    const before = this.census.inside[slot] + this.census.outside[slot];
    const now = this.afterwards.inside[slot] + this.afterwards.outside[slot];
    if (now === before) return undefined;
    return violation(`mappings of slot ${slot}`, `${before} as before`, String(now), 'a hit changed mappings');
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
