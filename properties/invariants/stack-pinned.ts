import type { ShadowLeaf } from '../../model/vocabulary/index.js';
import type { GuestRecord } from '../guest-record.js';
import { pageOf, uncachedWalk } from '../uncached-walk.js';
import { PAGING, SHADOW, setPmdNeedsPae } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Verdict } from './invariant.js';
import { HELD, VACUOUS, hex } from './invariant.js';
import type { Moment, Stage } from './moment.js';

/** Steps that clear the slot, then pin the stack. An `init` pins nothing: it comes before any `set-stack`. */
const CLEARERS: readonly Stage[] = ['new-pgtable', 'flush-tlb', 'set-pmd'];

const PAGES: Dimension = { name: 'pages', values: ['1', '2'], of: ({ guest }) => Math.min(guest.stackPages, 2) - 1 };

/** A trap pushes on the guest's kernel stack before the guest could handle a fault there. */
export const stackPinned: Invariant = {
  id: 'stack-pinned',
  statement: 'After a call that pins the stack, every stack page is mapped writable in the current slot.',
  source: 'machine.md 3, pin the stack; pin_stack_pages',
  exercisedBy: 'a living guest with stack pages after set-stack, clear all, or a switch to a blank slot',
  harms: 'guest',
  looksAt: ['shadow'],
  contract: 'any',
  neverAlone: 'the next pin takes a page that is not writable again, which reference-count may see',
  stages: ['set-stack', ...CLEARERS],
  needs: [['init'], ['set-stack']],
  situations: [
    { name: 'a stack set', stages: ['set-stack'], dimensions: [PAGING, PAGES, SHADOW] },
    {
      name: 'pinned in an empty slot',
      stages: CLEARERS,
      dimensions: [PAGING, PAGES],
      unreachable: setPmdNeedsPae,
    },
  ],
  watch: () => new StackWatch(),
};

class StackWatch {
  private tablesBefore = 0;

  readonly before = ({ step, shadow }: Moment): void => {
    if (step?.op === 'new-pgtable') this.tablesBefore = rootsOf(shadow);
  };

  readonly after = (moment: Moment): Verdict => {
    if (moment.guest.stackPages === 0 || !alive(moment) || !this.pins(moment)) return VACUOUS;
    return checkPages(moment);
  };

  private pins({ step, shadow }: Moment): boolean {
    if (step?.op === 'flush-tlb') return step.scope === 'all';
    // A blank slot gets a root page.
    if (step?.op === 'new-pgtable') return rootsOf(shadow) > this.tablesBefore;
    return true;
  }
}

const alive = ({ subjectKind: kind }: Moment): boolean => kind === 'ok' || kind === 'initialized';

const rootsOf = (shadow: Moment['shadow']): number => {
  let roots = 0;
  for (let slot = 0; slot < 4; slot++) if (shadow?.hasRoot(slot as never) === true) roots++;
  return roots;
};

const checkPages = ({ shadow, guest }: Moment): Verdict => {
  if (shadow === undefined) return VACUOUS;
  for (let index = 0; index < guest.stackPages; index++) {
    const address = guest.stackPage(index);
    const leaf = shadow.leafAt(shadow.currentSlot, address);
    if (leaf !== undefined && leaf.writable && leaf.upperWritable) continue;
    const actual = leaf === undefined ? 'not mapped' : isStale(leaf, guest) ? 'read-only and stale' : 'read-only';
    return {
      kind: 'stack-not-pinned',
      field: `stack page ${hex(address)}`,
      expected: 'mapped writable',
      actual,
      difference: actual,
      location: { vaddr: address, slot: shadow.currentSlot },
    };
  }
  return HELD;
};

/** The guest's tables map another page by now, so the hypervisor left this leaf alone. */
const isStale = ({ page, vaddr }: ShadowLeaf, guest: GuestRecord): boolean => {
  const walk = uncachedWalk(guest, vaddr);
  return walk.kind === 'leaf' && pageOf(walk.entry) !== page;
};
