/** What a hypercall must do in the state that it finds: the clause that a narrator sets against what was done. */

import { describeEntry, formatHex } from '../../../model/format/index.js';
import { pagingSizes } from '../../../model/vocabulary/index.js';
import { rangeText } from '../words.js';
import type { Evidence } from './evidence.js';
import { shadowOf, slotOfRoot } from './evidence.js';

/** `takes slot 1 (draw 1) for root 0x1000`, to be read behind "which"; nothing for steps that say enough themselves. */
export const dutyOf = (evidence: Evidence): string | undefined => {
  const { step, before, guest } = evidence;
  const linear = before?.root === undefined;
  switch (step?.op) {
    case 'new-pgtable':
      return switchDuty(evidence, step.root, step.draw);
    case 'set-pte':
      if (linear) return 'does nothing in linear mode, where every address stands for itself';
      return `announces ${announced(describeEntry(step.pte, guest.config.paging))} for ${formatHex(step.vaddr)}`;
    case 'set-pgd': {
      const { rootEntryReach, rootEntries } = pagingSizes(guest.config.paging);
      if (step.index >= rootEntries) return `names entry ${step.index} of a root of ${rootEntries}`;
      const slot = slotOfRoot(evidence, step.root);
      const under = rangeText(step.index * rootEntryReach, rootEntryReach);
      if (shadowOf(evidence) === undefined) return `takes away what root ${formatHex(step.root)} maps at ${under}`;
      return slot === undefined
        ? `must do nothing, for no slot shadows root ${formatHex(step.root)}`
        : `takes away everything at ${under} in slot ${slot.slot}, which shadows root ${formatHex(step.root)}`;
    }
    case 'init':
    case 'set-pmd':
      return 'takes away every mapping of every slot';
    case 'flush-tlb':
      return step.scope === 'all'
        ? 'takes away every mapping of every slot'
        : `takes away everything below ${formatHex(guest.kernelAddress)} in slot ${before?.shadow?.currentSlot ?? '?'}`;
    default:
      return undefined;
  }
};

const announced = (entry: string): string => (entry === '0' ? 'that nothing is mapped' : `"${entry}"`);

const switchDuty = (evidence: Evidence, root: number, draw: number): string => {
  const { before, guest } = evidence;
  if (before?.root === undefined) {
    return `leaves linear mode, in which no root is cached, and takes slot ${draw % 4} (draw ${draw}) for root ${formatHex(root)}`;
  }
  const hit = before.shadow?.slots.find((slot) => slot.root === root);
  if (hit !== undefined) return `finds root ${formatHex(root)} cached in slot ${hit.slot}`;
  if (before.shadow === undefined) return `switches to root ${formatHex(root)}`;
  const victim = before.shadow.slots[draw % 4];
  const flushes = victim.blank ? 'which is blank' : `of which everything below ${formatHex(guest.kernelAddress)} must go`;
  return `finds root ${formatHex(root)} in no slot and takes slot ${victim.slot} (draw ${draw}), ${flushes}`;
};
