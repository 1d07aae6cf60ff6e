/**
 * Steps that undo a step, so that another one can be taken from the same state without a new creation and the whole path. They
 * are a guess: whether they lead back the keys tell.
 */

import type { GuestEntry, Paddr, ShadowLeaf, ShadowView, Slot, Step, Vaddr } from '../../model/vocabulary/index.js';
import { SLOTS, ZERO_ENTRY, guestEntry, sameEntry } from '../../model/vocabulary/index.js';

const [P, RW, US, A, D] = [0x1, 0x2, 0x4, 0x20, 0x40] as const;

export class WayBack {
  private readonly shadow: ShadowView;
  /** The words that the alphabet stores to, and what they hold in the state from which steps are taken. */
  private readonly addresses: readonly Paddr[];
  private words: readonly GuestEntry[] = [];
  private root: Paddr | undefined = undefined;
  private oldLeaf: GuestEntry = ZERO_ENTRY;

  constructor(shadow: ShadowView, alphabet: readonly Step[]) {
    this.shadow = shadow;
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
    if (step.op === 'access') this.oldLeaf = entryOf(this.shadow.leafAt(this.shadow.currentSlot, step.vaddr));
    if (step.op === 'set-pte') this.oldLeaf = entryOf(this.leafInAnySlot(step.root, step.vaddr));
  }

  /** The way back from where a step led; empty if none is known. */
  after(step: Step): readonly Step[] {
    switch (step.op) {
      case 'store':
        return this.storesBack();
      case 'fail-alloc':
        return [{ op: 'fail-alloc', count: 0 }];
      case 'protect':
        return [{ ...step, access: step.access === 'write' ? 'read' : 'write' }];
      case 'new-pgtable':
        return this.root === undefined ? [] : [{ op: 'new-pgtable', root: this.root, draw: step.draw }];
      case 'set-pte':
        return [{ ...step, pte: this.oldLeaf }];
      case 'access':
        if (this.root === undefined) return [];
        return [{ op: 'set-pte', root: this.root, vaddr: step.vaddr, pte: this.oldLeaf }, ...this.storesBack()];
      default:
        return [];
    }
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
