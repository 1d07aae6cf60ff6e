import type { Paddr, ShadowView, Slot } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import { PAGING } from './situations/dimensions.js';
import type { Scene } from './situations/scene.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Moment, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, hex, violation } from './invariant.js';

const CHOICES = ['same slot again', 'another slot has it', 'blank', 'evicted', 'no memory for a root'] as const;

/** Which slot was taken, and why. */
const CHOICE: Dimension = {
  name: 'choice',
  values: CHOICES,
  of: ({ scene, shadow, step }) => {
    if (scene.rootSlot !== undefined) return scene.rootSlot === scene.current ? 0 : 1;
    if (scene.candidateHadRoot) return 3;
    return step?.op === 'new-pgtable' && shadow?.hasRoot((step.draw % SLOTS) as Slot) === true ? 2 : 4;
  },
};

/** Whether the slot found, or drawn, mapped the Switcher's pages of the CPU at hand. */
const WINDOW: Dimension = {
  name: 'Switcher',
  values: ['not mapped', 'mapped'],
  of: ({ scene }) => (scene.windowThere ? 1 : 0),
};

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

  readonly before = ({ guest, shadow, scene: { rootSlot } }: Moment): void => {
    if (shadow === undefined || rootSlot === undefined) return;
    this.mappings = shadow.leafCountIn(rootSlot, 0, guest.sizes.switcherAddress);
  };

  readonly after = ({ step, guest, shadow, scene, subjectKind }: Moment): Verdict => {
    if (step?.op !== 'new-pgtable' || shadow === undefined || subjectKind !== 'ok') return VACUOUS;
    const found = rootTwice(shadow) ?? slotTaken(shadow, scene, step.draw % SLOTS) ?? shadowsRoot(shadow, step.root);
    if (found !== undefined) return found;
    if (scene.rootSlot === undefined || !scene.changed) return HELD;
    return (
      this.mappingsKept(scene.rootSlot, shadow.leafCountIn(scene.rootSlot, 0, guest.sizes.switcherAddress)) ?? HELD
    );
  };

  private mappingsKept(slot: Slot, now: number): Violation | undefined {
    if (now === this.mappings) return undefined;
    return violation(`mappings of slot ${slot}`, `${this.mappings} as before`, String(now), 'a hit changed mappings');
  }
}

const slotTaken = (shadow: ShadowView, scene: Scene, candidate: number): Violation | undefined => {
  const { rootSlot, candidateHadRoot, current } = scene;
  const expected = rootSlot ?? (candidateHadRoot || shadow.hasRoot(candidate as Slot) ? candidate : current);
  if (shadow.currentSlot === expected) return undefined;
  const difference = rootSlot === undefined ? 'another victim' : 'a cached root was not found';
  return violation('current slot', String(expected), String(shadow.currentSlot), difference);
};

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
