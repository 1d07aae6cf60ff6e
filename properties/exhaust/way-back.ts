/**
 * Steps that undo a step, so that another one can be taken from the same state without a new creation and the whole path. They
 * are a guess: whether they lead back is told by what the machines then tell.
 */

import type {
  GuestEntry,
  Paddr,
  PagingSizes,
  ShadowLeaf,
  ShadowView,
  Slot,
  Step,
  Vaddr,
} from '../../model/vocabulary/index.js';
import { SLOTS, ZERO_ENTRY, guestEntry, pagingSizes, sameEntry } from '../../model/vocabulary/index.js';
import type { SmallMachine } from './machines/layout.js';

const [P, RW, US, A, D] = [0x1, 0x2, 0x4, 0x20, 0x40] as const;

export class WayBack {
  private readonly shadow: ShadowView;
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

  constructor(shadow: ShadowView, { creations, alphabet }: Pick<SmallMachine, 'creations' | 'alphabet'>) {
    this.shadow = shadow;
    this.sizes = pagingSizes(creations[0].paging);
    this.addresses = [...new Set(alphabet.flatMap((step) => (step.op === 'store' ? [step.paddr] : [])))];
  }

  /** Notes the state from which steps will be taken. */
  start(): void {
    const { shadow } = this;
    this.words = this.addresses.map((address) => shadow.guestWord(address));
    this.root = shadow.guestRoot(shadow.currentSlot);
  }

  /** Notes what a step is about to replace. */
  before(step: Step): void {
    const { shadow } = this;
    if (step.op === 'store') this.oldWord = shadow.guestWord(step.paddr);
    if (step.op === 'set-pte') this.oldLeaf = entryOf(this.leafInAnySlot(step.root, step.vaddr));
    if (step.op !== 'access') return;
    this.oldLeaf = entryOf(shadow.leafAt(shadow.currentSlot, step.vaddr));
    this.oldTables = shadow.allocatedTables;
    this.oldWindow = this.window;
  }

  /** The way back from where a step led; empty if none is known. */
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
        return this.root === undefined ? [] : this.accessBack(this.root, step.vaddr);
      default:
        return [];
    }
  }

  /** Releases what the access mapped: the table if it made one, and the pages of the CPU if the guest was not entered before. */
  private accessBack(root: Paddr, vaddr: Vaddr): readonly Step[] {
    const { rootEntries } = this.sizes;
    const top = Math.floor((vaddr / 2 ** 32) * rootEntries);
    const steps: Step[] = [
      this.shadow.allocatedTables > this.oldTables
        ? { op: 'set-pgd', root, index: top }
        : { op: 'set-pte', root, vaddr, pte: this.oldLeaf },
    ];
    if (this.window > this.oldWindow) steps.push({ op: 'set-pgd', root, index: rootEntries - 1 });
    return [...steps, ...this.storesBack()];
  }

  private get window(): number {
    return this.shadow.leafCountIn(this.shadow.currentSlot, this.sizes.switcherAddress, 2 ** 32);
  }

  private storesBack(): readonly Step[] {
    return this.addresses.flatMap((paddr, index): readonly Step[] => {
      const value = this.words[index];
      return sameEntry(this.shadow.guestWord(paddr), value) ? [] : [{ op: 'store', paddr, value }];
    });
  }

  /** The leaf that an announcement concerns: of the root's slot, or of any if it is the kernel's. */
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

/** An announcement that makes such a leaf again, or none. */
const entryOf = (leaf: ShadowLeaf | undefined): GuestEntry => {
  if (leaf === undefined) return ZERO_ENTRY;
  const rights = (leaf.user ? US : 0) | (leaf.writable ? RW | D : 0);
  return guestEntry(leaf.page * 4096 + (P | A | rights));
};
