/** Programs that no worker survives: a finding of their own, told like that of a subject outside the process. */

import type { Failure } from './event.js';
import type { Divergence } from '../divergence.js';

export interface Death {
  readonly program: number;
  readonly how: Failure;
  readonly detail: string;
}

const FIELD = 'worker';

export const divergenceOf = ({ how, detail }: Omit<Death, 'program'>): Divergence => ({
  invariant: how === 'hung' ? 'subject-timeout' : 'subject-crash',
  alsoBroken: [],
  place: { kind: 'create' },
  stage: 'create',
  field: FIELD,
  expected: 'a program that ends',
  actual: `the worker ${how}: ${detail}`,
  difference: `the worker ${how}`,
});

export const isDeath = ({ field }: Divergence): boolean => field === FIELD;
