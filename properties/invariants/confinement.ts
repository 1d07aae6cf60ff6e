import type { ShadowLeaf, Slot } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import { ADDRESSING, MAPPERS, PAGING, SLOTS_IN_USE } from './situations/dimensions.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, hex } from './invariant.js';
import type { Aftermath } from './moment.js';

/** Keeps a guest inside its own memory. */
export const confinement: Invariant = {
  id: 'confinement',
  statement:
    "A shadow leaf maps a page of guest RAM, or below nothing but the Switcher's addresses a page of the Switcher.",
  source: 'machine.md 1, Switcher; 3, demand 4 and 5; check_gpte',
  exercisedBy: 'a step that installed a leaf; the end of a program that left one',
  harms: 'host',
  looksAt: ['shadow'],
  contract: 'any',
  stages: [...MAPPERS, 'end'],
  whenQuiet: [],
  situations: [
    {
      name: 'leaves written',
      stages: MAPPERS,
      dimensions: [PAGING, ADDRESSING],
      unreachable: ({ step, paging, addressing }) => {
        if (step === 'init' && addressing === 'tables') return 'a second init kills';
        if (step === 'set-pmd' && paging === '2-level') return 'the call is for PAE';
        if (addressing === 'tables') return undefined;
        return step === 'set-pte' || step === 'set-pgd' ? 'in linear mode no table is announced' : undefined;
      },
    },
    { name: 'leaves at the end', stages: ['end'], looksAt: 'shadow', dimensions: [PAGING, SLOTS_IN_USE] },
  ],
  watch: () => new ConfinementWatch(),
};

class ConfinementWatch {
  private switcherAddress = 0;
  private guestPages = 0;
  private seen = 0;
  private found: Violation | undefined = undefined;

  readonly after = ({ stage, shadow, config, guest }: Aftermath): Verdict => {
    if (shadow === undefined || config.guestPages === 0) return VACUOUS;
    this.switcherAddress = guest.sizes.switcherAddress;
    this.guestPages = config.guestPages;
    this.seen = 0;
    this.found = undefined;
    if (stage === 'end') for (let slot = 0; slot < SLOTS; slot++) shadow.forEachLeaf(slot as Slot, this.look);
    else shadow.forEachWrittenLeaf(this.look);
    return this.found ?? (this.seen === 0 ? VACUOUS : HELD);
  };

  readonly audit = this.after;

  private readonly look = (leaf: ShadowLeaf): void => {
    this.seen++;
    const inWindow = leaf.vaddr >= this.switcherAddress;
    const beyondRam = leaf.target === 'ram' && leaf.page >= this.guestPages;
    if (leaf.target !== 'stray' && !beyondRam && (leaf.target === 'ram') !== inWindow) return;
    this.found ??= {
      kind: 'foreign-page',
      field: `leaf for ${hex(leaf.vaddr)} in slot ${leaf.slot}`,
      expected: inWindow ? 'a page of the Switcher' : 'a page of guest RAM',
      actual: `${leaf.target} page ${leaf.page}`,
      difference: `${beyondRam ? 'a page beyond RAM' : leaf.target} ${inWindow ? 'in' : 'outside'} the Switcher's window`,
      location: { vaddr: leaf.vaddr, slot: leaf.slot },
    };
  };
}
