import type { KillCause, Op } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import { compareOutcomes } from './outcome-difference.js';
import { PAGING, PINNERS } from './situations/dimensions.js';
import { uncachedPhysical } from '../uncached-walk.js';
import type { Cell, Dimension, Grid } from './situations/grid.js';
import type { Invariant } from './invariant.js';
import { HELD, VACUOUS, stateless } from './invariant.js';

const CALLS: readonly Op[] = ['new-pgtable', 'flush-tlb', 'set-stack', 'set-pmd', 'set-pte', 'set-pgd'];
const DEMANDERS: readonly Op[] = ['access', ...PINNERS];
/** Steps that may map the Switcher anew, and need tables for it. */
const MAPPERS: readonly Op[] = ['init', ...DEMANDERS, 'set-pgd'];
/** Steps that may have to allocate a middle table. */
const FILLERS: readonly Op[] = ['access', 'set-stack'];

const MIDDLE_ENTRY = 'bad page middle directory entry';
const PMD_TABLE = 'out of memory allocating pmd page';

/** Each cause of machine.md 3 with its name in the situations, and the steps that can kill for it. */
const CAUSES: readonly (readonly [cause: KillCause, name: string, at: readonly Op[]])[] = [
  ['before-init', 'before INIT', CALLS],
  ['bad-hypercall', 'Bad hypercall', ['set-pmd']],
  ['already-initialized', 'already have lguest_data', ['init']],
  ['bad-kernel-address', 'bad kernel address', ['init']],
  ['bad-stack-pages', 'bad stack pages', ['set-stack']],
  ['bad-stack-page', 'bad stack page', PINNERS],
  ['set-pte-in-switcher', 'attempt to set pte into Switcher pages', ['set-pte']],
  ['bad-pgd-index', 'Attempt to set pgd', ['set-pgd']],
  ['bad-directory-entry', 'bad page directory entry', DEMANDERS],
  ['bad-middle-entry', MIDDLE_ENTRY, DEMANDERS],
  ['bad-table-entry', 'bad page table entry', [...DEMANDERS, 'set-pte']],
  ['bad-read', 'bad read address', [...DEMANDERS, 'guest-pa']],
  ['bad-address', 'Bad address', ['guest-pa']],
  ['page-refused', 'failed to get page', [...DEMANDERS, 'set-pte']],
  ['no-pte-table', 'out of memory allocating pte page', MAPPERS],
  ['no-pmd-table', PMD_TABLE, FILLERS],
];

/** `guest-pa`: the level at which the walk ended. */
const LEVEL: Dimension = {
  name: 'level',
  values: ['root', 'middle', 'leaf'],
  of: ({ step, guest }) => {
    const depth = step?.op === 'guest-pa' ? uncachedPhysical(guest, step.vaddr).depth : 0;
    return depth === 1 && guest.config.paging === '2-level' ? 2 : Math.min(depth, 2);
  },
};

const ANOTHER = 'another';

/** The kills of one step. */
const killsAt = (op: Op): Grid => {
  const causes = CAUSES.filter(([, , at]) => at.includes(op));
  const cause: Dimension = {
    name: 'cause',
    values: [...causes.map(([, name]) => name), ANOTHER],
    of: ({ model, subject }) => {
      const { outcome } = subject.outcome.kind === 'killed' ? subject : model;
      const index = outcome.kind === 'killed' ? causes.findIndex(([each]) => each === outcome.cause) : -1;
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
  if (cause === ANOTHER) return 'machine.md names no other';
  if (level === 'middle' && paging === '2-level') return 'there is no middle table';
  if (paging === 'PAE') return cause === 'Bad hypercall' ? 'PAE has the call' : undefined;
  if (cause === MIDDLE_ENTRY || cause === PMD_TABLE) return 'there is no middle table';
  return op === 'set-pmd' && cause !== 'Bad hypercall' && cause !== 'before INIT' ? 'the call is for PAE' : undefined;
};

/** Steps that can kill. */
const KILLERS = OPS.filter((op) => CAUSES.some(([, , at]) => at.includes(op)));

export const killDecision: Invariant = {
  id: 'kill-decision',
  statement: 'Both sides kill the guest at the same step and for the same reason, or neither does.',
  source: 'machine.md 3, Kills',
  exercisedBy: 'a step at which either side killed',
  harms: 'guest',
  looksAt: ['outcome'],
  contract: 'any',
  stages: OPS,
  outcomes: ['killed'],
  situations: KILLERS.map(killsAt),
  watch: stateless(({ model, subject, modelKind, subjectKind }) => {
    if (modelKind !== 'killed' && subjectKind !== 'killed') return VACUOUS;
    return compareOutcomes(model.outcome, subject.outcome) ?? HELD;
  }),
};
