import type { Op } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import { differenceOf, describe } from './outcome-difference.js';
import { PAGING, PINNERS } from './situations/dimensions.js';
import { physicalWalk } from '../pure-walk.js';
import type { Cell, Dimension, Grid } from './situations/grid.js';
import type { Invariant } from './invariant.js';
import { HELD, VACUOUS, stateless, violation } from './invariant.js';

const CALLS: readonly Op[] = ['new-pgtable', 'flush-tlb', 'set-stack', 'set-pmd', 'set-pte', 'set-pgd'];
const DEMANDERS: readonly Op[] = ['access', ...PINNERS];
/** Steps that may map the Switcher anew, and need tables for it: all, where they come first. */
const MAPPERS: readonly Op[] = ['init', ...DEMANDERS, 'set-pgd'];
/** A middle table is there already only where nothing was cleared before. */
const FILLERS: readonly Op[] = ['access', 'set-stack'];

/** What a kill says, without its numbers, and at which steps (machine.md 3). */
const CAUSES: readonly (readonly [says: RegExp, cause: string, at: readonly Op[]])[] = [
  [/^hypercall \d+ before/, 'before INIT', CALLS],
  [/^Bad hypercall/, 'Bad hypercall', ['set-pmd']],
  [/^already have/, 'already have lguest_data', ['init']],
  [/^bad kernel address/, 'bad kernel address', ['init']],
  [/^bad stack pages/, 'bad stack pages', ['set-stack']],
  [/^bad stack page /, 'bad stack page', PINNERS],
  [/^attempt to set pte/, 'attempt to set pte into Switcher pages', ['set-pte']],
  [/^Attempt to set pgd/, 'Attempt to set pgd', ['set-pgd']],
  [/^bad page directory/, 'bad page directory entry', DEMANDERS],
  [/^bad page middle/, 'bad page middle directory entry', DEMANDERS],
  [/^bad page table/, 'bad page table entry', [...DEMANDERS, 'set-pte']],
  [/^bad read/, 'bad read address', [...DEMANDERS, 'guest-pa']],
  [/^Bad address/, 'Bad address', ['guest-pa']],
  [/^failed to get page/, 'failed to get page', [...DEMANDERS, 'set-pte']],
  [/^out of memory allocating pte/, 'out of memory allocating pte page', MAPPERS],
  [/^out of memory allocating pmd/, 'out of memory allocating pmd page', FILLERS],
];

/** `guest-pa`: the table at whose entry the walk ended; nothing above it was looked at but for presence. */
const LEVEL: Dimension = {
  name: 'level',
  values: ['root', 'middle', 'leaf'],
  of: ({ step, guest }) => {
    const depth = step?.op === 'guest-pa' ? physicalWalk(guest, step.vaddr).depth : 0;
    return depth === 1 && guest.config.paging === '2-level' ? 2 : Math.min(depth, 2);
  },
};

const UNHEARD_OF = 'another';

/** The kills of one step. */
const killsAt = (op: Op): Grid => {
  const causes = CAUSES.filter(([, , at]) => at.includes(op));
  const cause: Dimension = {
    name: 'cause',
    values: [...causes.map(([, name]) => name), UNHEARD_OF],
    of: ({ reference, subject }) => {
      const { outcome } = subject.outcome.kind === 'killed' ? subject : reference;
      const reason = outcome.kind === 'killed' ? outcome.reason : '';
      const index = causes.findIndex(([says]) => says.test(reason));
      return index < 0 ? causes.length : index;
    },
  };
  return {
    name: `killed at ${op}`,
    stages: [op],
    dimensions: op === 'guest-pa' ? [cause, PAGING, LEVEL] : [cause, PAGING],
    unreachable: (cell) => whyNever(op, cell),
  };
};

const whyNever = (op: Op, { cause, paging, level }: Cell): string | undefined => {
  if (cause === UNHEARD_OF) return 'machine.md names no other';
  if (level === 'middle' && paging === '2-level') return 'there is no middle table';
  if (paging === 'PAE') return cause === 'Bad hypercall' ? 'PAE has the call' : undefined;
  if (/middle|pmd page/.test(cause)) return 'there is no middle table';
  return op === 'set-pmd' && cause !== 'Bad hypercall' && cause !== 'before INIT' ? 'the call is for PAE' : undefined;
};

/** A store and what is alike never kill. */
const KILLERS = OPS.filter((op) => CAUSES.some(([, , at]) => at.includes(op)));

/** Who is killed, when, and why. */
export const killDecision: Invariant = {
  id: 'kill-decision',
  statement: 'Both sides kill the guest at the same step and for the same reason, or neither does.',
  source: 'machine.md 3, Kills',
  exercisedBy: 'a step at which either side killed',
  looksAt: 'observations',
  contract: 'any',
  stages: OPS,
  outcomes: ['killed'],
  situations: KILLERS.map(killsAt),
  watch: stateless(({ reference, subject, referenceKind, subjectKind }) => {
    if (referenceKind !== 'killed' && subjectKind !== 'killed') return VACUOUS;
    const difference = differenceOf(reference.outcome, subject.outcome);
    if (difference === undefined) return HELD;
    return violation('outcome', describe(reference.outcome), describe(subject.outcome), difference);
  }),
};
