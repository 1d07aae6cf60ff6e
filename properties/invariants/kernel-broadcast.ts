import type { ShadowLeaf, ShadowView, Slot, Vaddr } from '../../model/vocabulary/index.js';
import { SLOTS, bareOutcome } from '../../model/vocabulary/index.js';
import { isPresent, pageOf } from '../entry-bits.js';
import { ENTRY, PAGING, holdersFrom } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, hex } from './invariant.js';
import type { Aftermath, Moment, Stage } from './moment.js';

const FILLERS: readonly Stage[] = ['access', 'set-stack', 'new-pgtable'];

/** Slots that map the kernel address that was filled. */
const SHARERS: Dimension = {
  name: 'slots that map it',
  values: ['2', '3', '4'],
  of: ({ step, guest, shadow }) => {
    const address = step?.op === 'access' ? step.vaddr : guest.stackPage(0);
    return Math.max(holders(shadow, address) - 2, 0);
  },
};

/** All roots of a guest share the kernel half, so all slots must agree on it. */
export const kernelBroadcast: Invariant = {
  id: 'kernel-broadcast',
  statement:
    'After set-pte of a kernel address no slot maps it to anything but the page announced; in coherent traffic a kernel address maps the same page in every slot that maps it.',
  source: 'machine.md 3, set-pte; guest_set_pte',
  exercisedBy:
    'a kernel set-pte that found the address mapped in two slots, or a kernel leaf installed beside another slot’s',
  harms: 'guest',
  looksAt: ['shadow'],
  contract: 'any',
  neverAlone: 'a slot that keeps an old mapping keeps its reference too, which reference-count sees',
  stages: ['set-pte', ...FILLERS],
  needs: [['store'], ['init'], ['new-pgtable'], ['set-pte']],
  whenQuiet: [],
  situations: [
    { name: 'announced', stages: ['set-pte'], looksAt: 'shadow', dimensions: [PAGING, ENTRY, holdersFrom(2)] },
    {
      name: 'filled beside another slot',
      stages: FILLERS,
      looksAt: 'shadow',
      dimensions: [PAGING, SHARERS],
    },
  ],
  watch: () => new BroadcastWatch(),
};

class BroadcastWatch {
  private moment: Aftermath | undefined = undefined;
  private compared = 0;
  private found: Violation | undefined = undefined;

  readonly after = (moment: Moment): Verdict => {
    if (bareOutcome(moment.subjectKind) || moment.guest.linear) return VACUOUS;
    if (moment.stage === 'set-pte') return this.afterSetPte(moment);
    if (!moment.contractKept) return VACUOUS;
    this.moment = moment;
    this.compared = 0;
    this.found = undefined;
    moment.shadow?.forEachWrittenLeaf(this.look);
    return this.found ?? (this.compared === 0 ? VACUOUS : HELD);
  };

  readonly audit = (moment: Aftermath): Verdict => {
    const { shadow, guest, contractKept } = moment;
    if (shadow === undefined || guest.linear || !contractKept) return VACUOUS;
    this.moment = moment;
    this.compared = 0;
    this.found = undefined;
    for (let slot = 0; slot < SLOTS; slot++) shadow.forEachLeafFrom(slot as Slot, guest.kernelAddress, this.look);
    return this.found ?? (this.compared === 0 ? VACUOUS : HELD);
  };

  private afterSetPte({ step, guest, shadow, preState }: Moment): Verdict {
    if (step?.op !== 'set-pte' || shadow === undefined) return VACUOUS;
    if (step.vaddr < guest.kernelAddress || step.vaddr >= guest.sizes.switcherAddress) return VACUOUS;
    const announced = isPresent(step.pte) ? pageOf(step.pte) : undefined;
    for (let slot = 0; slot < SLOTS; slot++) {
      const leaf = shadow.leafAt(slot as Slot, step.vaddr);
      if (leaf !== undefined && leaf.page !== announced) {
        const expected = announced === undefined ? 'not mapped' : `page ${announced} or not mapped`;
        return wrongLeaf('leaf-kept-in-a-slot', leaf, expected, 'a slot kept the old mapping');
      }
    }
    return preState.holders > 1 ? HELD : VACUOUS;
  }

  private readonly look = (leaf: ShadowLeaf): void => {
    const { guest, shadow } = this.moment ?? {};
    if (shadow === undefined || guest === undefined || leaf.target !== 'ram' || leaf.vaddr < guest.kernelAddress)
      return;
    const { slot, page, vaddr } = leaf;
    for (let other = 0; other < SLOTS; other++) {
      if (other === slot) continue;
      const there = shadow.leafAt(other as Slot, vaddr);
      if (there === undefined) continue;
      this.compared++;
      if (there.page === page) continue;
      this.found ??= wrongLeaf('slots-disagree', there, `page ${page}`, 'slots disagree');
    }
  };
}

const holders = (shadow: ShadowView | undefined, address: Vaddr): number => {
  let count = 0;
  for (let slot = 0; slot < SLOTS; slot++) if (shadow?.leafAt(slot as Slot, address) !== undefined) count++;
  return count;
};

const wrongLeaf = (
  kind: 'leaf-kept-in-a-slot' | 'slots-disagree',
  { vaddr, slot, page }: ShadowLeaf,
  expected: string,
  difference: string,
): Violation => ({
  kind,
  field: `leaf for kernel address ${hex(vaddr)} in slot ${slot}`,
  expected,
  actual: `page ${page}`,
  difference,
  location: { vaddr, slot },
});
