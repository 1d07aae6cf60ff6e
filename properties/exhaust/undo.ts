/**
 * Steps that undo a step, so that another one can be tried from the same state without a new creation and the whole path. They are a
 * guess: the caller compares states to learn whether they led back.
 */

import type {
  GuestEntry,
  GuestRam,
  Paddr,
  PagingSizes,
  ShadowLeaf,
  ShadowView,
  Slot,
  Step,
  Vaddr,
} from '../../model/vocabulary/index.js';
import { SLOTS, ZERO_ENTRY, guestEntry, pagingSizes, sameEntry } from '../../model/vocabulary/index.js';
import { A, D, P, RW, US } from '../entry-bits.js';
import type { SmallMachine } from './machines/layout.js';

export class Undo {
  private readonly shadow: ShadowView;
  private readonly ram: GuestRam;
  private readonly sizes: PagingSizes;
  /** The words that the alphabet stores to, and what they hold in the state from which steps are taken. */
  private readonly addresses: readonly Paddr[];
  private words: readonly GuestEntry[] = [];
  private root: Paddr | undefined = undefined;
  private oldWord: GuestEntry = ZERO_ENTRY;
  private oldLeaf: GuestEntry = ZERO_ENTRY;
  private oldTables = 0;
  /** Leaves in the Switcher's window of the current slot. */
  private oldWindow = 0;

  constructor(
    shadow: ShadowView,
    ram: GuestRam,
    { creations, alphabet }: Pick<SmallMachine, 'creations' | 'alphabet'>,
  ) {
    this.shadow = shadow;
    this.ram = ram;
    this.sizes = pagingSizes(creations[0].paging);
    this.addresses = [...new Set(alphabet.flatMap((step) => (step.op === 'store' ? [step.paddr] : [])))];
  }

  /** Records the state from which steps will be taken. */
  start(): void {
    const { shadow } = this;
    this.words = this.addresses.map((address) => this.ram.word(address));
    this.root = shadow.guestRoot(shadow.currentSlot);
  }

  /** Records what a step is about to replace. */
  before(step: Step): void {
    const { shadow } = this;
    if (step.op === 'store') this.oldWord = this.ram.word(step.paddr);
    if (step.op === 'set-pte') this.oldLeaf = entryOf(this.leafInAnySlot(step.root, step.vaddr));
    if (step.op !== 'access') return;
    this.oldLeaf = entryOf(shadow.leafAt(shadow.currentSlot, step.vaddr));
    this.oldTables = shadow.allocatedTables;
    this.oldWindow = this.window;
  }

  /** Steps that should undo the step just taken; empty if no way is known. */
  after(step: Step): readonly Step[] {
    switch (step.op) {
      case 'store':
        return [{ ...step, value: this.oldWord }];
      case 'fail-alloc':
        return [{ op: 'fail-alloc', count: 0 }];
      case 'protect':
        return [{ ...step, access: step.access === 'write' ? 'read' : 'write' }];
      case 'new-pgtable':
        return this.root === undefined ? [] : [{ op: 'new-pgtable', root: this.root, draw: step.draw }];
      case 'set-pte':
        return [{ ...step, pte: this.oldLeaf }];
      case 'access':
        return this.root === undefined ? [] : this.undoAccess(this.root, step.vaddr);
      default:
        return [];
    }
  }

  /** Releases what the access mapped: its table if the access made one, and the CPU's Switcher pages if entering the guest mapped them. */
  private undoAccess(root: Paddr, vaddr: Vaddr): readonly Step[] {
    const { rootEntries } = this.sizes;
    const top = Math.floor((vaddr / 2 ** 32) * rootEntries);
    const steps: Step[] = [
      this.shadow.allocatedTables > this.oldTables
        ? { op: 'set-pgd', root, index: top }
        : { op: 'set-pte', root, vaddr, pte: this.oldLeaf },
    ];
    if (this.window > this.oldWindow) steps.push({ op: 'set-pgd', root, index: rootEntries - 1 });
    return [...steps, ...this.undoStores()];
  }

  private get window(): number {
    return this.shadow.leafCountIn(this.shadow.currentSlot, this.sizes.switcherAddress, 2 ** 32);
  }

  private undoStores(): readonly Step[] {
    return this.addresses.flatMap((paddr, index): readonly Step[] => {
      const value = this.words[index];
      return sameEntry(this.ram.word(paddr), value) ? [] : [{ op: 'store', paddr, value }];
    });
  }

  /** The leaf that a `set-pte` concerns: that of the root's slot, else of any slot (a kernel leaf). */
  private leafInAnySlot(root: Paddr, address: Vaddr): ShadowLeaf | undefined {
    let found: ShadowLeaf | undefined;
    for (let slot = 0; slot < SLOTS; slot++) {
      const leaf = this.shadow.leafAt(slot as Slot, address);
      if (leaf !== undefined && (found === undefined || this.shadow.guestRoot(slot as Slot) === root)) {
        found = { ...leaf };
      }
    }
    return found;
  }
}

/** The entry to announce so that the shadow has this leaf again. */
const entryOf = (leaf: ShadowLeaf | undefined): GuestEntry => {
  if (leaf === undefined) return ZERO_ENTRY;
  const rights = (leaf.user ? US : 0) | (leaf.writable ? RW | D : 0);
  return guestEntry(leaf.page * 4096 + (P | A | rights));
};
