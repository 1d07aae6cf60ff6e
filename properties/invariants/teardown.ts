import { PAGING } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, stateless } from './invariant.js';
import type { Moment } from './moment.js';

const afterDestroy = ({ subject, config: { hostCpus } }: Moment): Verdict => {
  if (subject.outcome.kind !== 'destroyed') return VACUOUS;
  const [leaked] = subject.references;
  if (leaked !== undefined) {
    return {
      kind: 'references-after-destroy',
      field: `references on page ${leaked.page}`,
      expected: '0',
      actual: String(leaked.count),
      difference: 'references held after destroy',
      location: { page: leaked.page },
    };
  }
  if (subject.tables !== 0) return tablesHeld(subject.tables, 'tables held after destroy');
  const { text, state, registers } = subject.switcher;
  if (text === 0 && registers === 0 && areZero(state, hostCpus)) return HELD;
  return {
    kind: 'switcher-references-after-destroy',
    field: 'switcher',
    expected: 'no references',
    actual: `text ${text}, registers ${registers}, state ${state.join(' ')}`,
    difference: 'Switcher references held after destroy',
  };
};

/** All of the first `count` numbers are there, and 0. */
const areZero = (numbers: readonly number[], count: number): boolean => {
  for (let i = 0; i < count; i++) if (numbers[i] !== 0) return false;
  return true;
};

const afterCreation = ({ subject }: Moment): Verdict => {
  if (subject.outcome.kind !== 'no-memory') return VACUOUS;
  return subject.tables === 0 ? HELD : tablesHeld(subject.tables, 'tables held after failed creation');
};

const tablesHeld = (tables: number, difference: string): Violation => {
  return { kind: 'too-many-tables', field: 'tables', expected: '0', actual: String(tables), difference };
};

/** How the guest ended. */
const LIFE: Dimension = {
  name: 'life',
  values: ['linear', 'tables', 'killed'],
  of: ({ preState, guest }) => (preState.over ? 2 : guest.linear ? 0 : 1),
};

/** The allocation that failed. */
const ALLOCATION: Dimension = {
  name: 'allocation',
  values: ['first', 'second', 'third'],
  of: ({ config }) => Math.min(Math.max(config.failAllocation, 1), 3) - 1,
};

/** Memory that a guest leaves behind is lost to the host. */
export const teardown: Invariant = {
  id: 'teardown',
  statement: 'After destroy, and after a creation that failed, no reference and no table is held.',
  source: 'machine.md 2; free_guest_pagetable',
  exercisedBy: 'a destroy that answered; a creation without memory',
  harms: 'host',
  looksAt: ['references', 'tables', 'switcher'],
  contract: 'any',
  neverAlone: 'what is held at the end was held too long before, which reference-count or table-accounting sees too',
  stages: ['create', 'destroy'],
  situations: [
    { name: 'a machine destroyed', stages: ['destroy'], dimensions: [PAGING, LIFE] },
    {
      name: 'a creation without memory',
      stages: ['create'],
      dimensions: [PAGING, ALLOCATION],
      unreachable: ({ paging, allocation }) =>
        paging === '2-level' && allocation === 'third' ? 'a root and one table are all' : undefined,
    },
  ],
  watch: stateless((moment) => (moment.stage === 'create' ? afterCreation(moment) : afterDestroy(moment))),
};
