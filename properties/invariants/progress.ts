import { ACCESS, ADDRESSING, PAGING, TABLES } from './situations/dimensions.js';
import type { Invariant } from './invariant.js';
import { HELD, VACUOUS, stateless } from './invariant.js';

/** A fault that was reported fixed must be fixed; otherwise the guest faults at one instruction forever. */
export const progress: Invariant = {
  id: 'progress',
  statement: 'An access whose fault was reported fixed goes through: its outcome is never stuck.',
  source: 'machine.md 3, access; formats.md, outcome stuck',
  exercisedBy: 'an access that changed something and then went through, or is stuck',
  harms: 'guest',
  looksAt: ['outcome'],
  contract: 'any',
  neverAlone: 'a machine that is stuck did not do what the model did in the same step, such as to fault',
  stages: ['access'],
  outcomes: ['mapped', 'stuck'],
  whenQuiet: [],
  situations: [
    {
      name: 'a fault that was fixed',
      stages: ['access'],
      dimensions: [ACCESS, PAGING, ADDRESSING, TABLES],
      unreachable: ({ access, addressing, tables }) => {
        if (addressing === 'linear' && access.startsWith('user')) return 'no page is the user’s';
        return tables === 'fewer' ? 'an access frees no table' : undefined;
      },
    },
  ],
  watch: stateless(({ subject, subjectKind }) => {
    if (subjectKind === 'stuck') {
      return { kind: 'stuck', field: 'outcome', expected: 'an end to the fault', actual: 'stuck', difference: 'stuck' };
    }
    return subjectKind === 'mapped' && (subject.references.length > 0 || subject.stores.length > 0) ? HELD : VACUOUS;
  }),
};
