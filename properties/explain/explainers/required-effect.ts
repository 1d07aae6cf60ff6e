/** What a hypercall must do in the state that it finds: the clause that an explainer sets against what was done. */

import { describeEntry, formatHex } from '../../formats/index.js';
import type { NewPgtableStep, SetPgdStep } from '../../../model/vocabulary/index.js';
import { pagingSizes } from '../../../model/vocabulary/index.js';
import { rangeText } from '../words.js';
import type { Evidence } from './evidence.js';
import { lastOf, shadowOf, slotOfRoot } from './evidence.js';

/** `step 5 (set-pgd), which must take away …`. */
export const hereWithEffect = (evidence: Evidence): string => {
  const effect = requiredEffect(evidence);
  return effect === undefined ? evidence.here : `${evidence.here}, which ${effect}`;
};

const CLEAR_ALL = 'must empty every slot and map the Switcher again in the current one alone';

/** A verb and its objects, to follow the step or "which"; undefined where the step's name is enough. */
export const requiredEffect = (evidence: Evidence): string | undefined => {
  const { step, before, guest } = evidence;
  switch (step?.op) {
    case 'new-pgtable':
      return switchEffect(evidence, step);
    case 'set-pte':
      if (before?.root === undefined) return 'must do nothing in linear mode, where every address stands for itself';
      return `announces ${announced(describeEntry(step.pte, guest.config))} for ${formatHex(step.vaddr)}`;
    case 'set-pgd':
      return topEntryEffect(evidence, step);
    case 'init':
    case 'set-pmd':
      return CLEAR_ALL;
    case 'flush-tlb': {
      if (step.scope === 'all') return CLEAR_ALL;
      const slot = before?.shadow?.currentSlot;
      return `must take away everything below ${formatHex(guest.kernelAddress)} in ${slot === undefined ? 'the current slot' : `slot ${slot}`}`;
    }
    default:
      return undefined;
  }
};

const announced = (entry: string): string => (entry === '0' ? 'that nothing is mapped' : `"${entry}"`);

const topEntryEffect = (evidence: Evidence, { root, index }: SetPgdStep): string => {
  const { rootEntryReach, rootEntries } = pagingSizes(evidence.guest.config.paging);
  if (index >= rootEntries) return `names entry ${index} of a root of ${rootEntries}`;
  const under = `must take away what root ${formatHex(root)} maps at ${rangeText(index * rootEntryReach, rootEntryReach)}`;
  if (shadowOf(evidence) === undefined) return under;
  const slot = slotOfRoot(evidence, root);
  return slot === undefined
    ? `must do nothing, for no slot shadows root ${formatHex(root)}`
    : `${under} in slot ${slot.slot}`;
};

const switchEffect = (evidence: Evidence, { root, draw }: NewPgtableStep): string => {
  const { before, guest } = evidence;
  const wanted = formatHex(root);
  if (before?.shadow === undefined) return `must switch to root ${wanted}`;
  const hit = slotOfRoot(evidence, root);
  if (hit !== undefined) return `must find root ${wanted} cached in slot ${hit.slot}`;
  const victim = before.shadow.slots[draw % 4];
  const linear = before.root === undefined;
  const leave = linear ? 'leave linear mode and ' : '';
  if (victim.blank && lacksMemory(evidence)) {
    return `must ${leave}take the current slot, ${before.shadow.currentSlot}, for root ${wanted}, since there is no memory for a root page of slot ${victim.slot}`;
  }
  const flush = victim.blank || linear ? '' : ` and take away everything below ${formatHex(guest.kernelAddress)} in it`;
  const blank = victim.blank && !linear ? 'the blank ' : '';
  return `must ${leave}take ${blank}slot ${victim.slot} (draw ${draw}) for root ${wanted}${flush}`;
};

/** The model got no root page: it holds no more tables than before, or in linear mode than the roots and one Switcher. */
const lacksMemory = (evidence: Evidence): boolean => {
  const { before, moment, guest } = evidence;
  if (before?.shadow === undefined || lastOf(evidence, 'fail-alloc') === undefined) return false;
  const roots = before.shadow.slots.filter(({ blank }) => !blank).length;
  const most = before.root === undefined ? roots + guest.sizes.tableLevels : before.model.tables;
  return most !== undefined && moment.model.tables !== undefined && moment.model.tables <= most;
};
