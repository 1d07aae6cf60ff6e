import { OPS } from '../../model/vocabulary/index.js';
import { describe } from './outcome-difference.js';
import { LIFE, PAGING } from './situations/dimensions.js';
import type { Invariant } from './invariant.js';
import { HELD, stateless } from './invariant.js';
import type { Stage } from './moment.js';

const STAGES: readonly Stage[] = ['create', ...OPS, 'destroy'];

/** The hypervisor's own bookkeeping must survive anything that a guest does. */
export const hostIntact: Invariant = {
  id: 'host-intact',
  statement:
    'No guest can make the hypervisor drop a reference it does not hold, free a table twice or follow a stray pointer.',
  source: 'formats.md, Trace, host-bug; put_page and free_page underflow as in Xen XSA-299',
  exercisedBy: 'every step',
  harms: 'host',
  looksAt: ['outcome'],
  contract: 'any',
  stages: STAGES,
  situations: [
    {
      name: 'whatever a guest does',
      stages: STAGES,
      dimensions: [PAGING, LIFE],
      unreachable: ({ step, life }) =>
        step === 'create' && life !== 'linear' ? 'a machine begins in linear mode' : undefined,
    },
  ],
  watch: stateless(({ subject, subjectKind }) => {
    if (subjectKind !== 'host-bug') return HELD;
    const words = { expected: 'a hypervisor that goes on', actual: describe(subject.outcome), difference: 'host-bug' };
    return { kind: 'host-bug', field: 'outcome', ...words };
  }),
};
