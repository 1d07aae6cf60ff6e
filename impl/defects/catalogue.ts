/** Every planted defect, in one list. The files beside this one hold the defects of one part of the machine each. */

import { ACCOUNTING_DEFECTS } from './accounting-defects.js';
import { CACHE_DEFECTS } from './cache-defects.js';
import type { Defect } from './defect.js';
import { DEMAND_DEFECTS } from './demand-defects.js';
import { FLUSH_DEFECTS } from './flush-defects.js';
import { LIFE_DEFECTS } from './life-defects.js';
import { SET_PGD_DEFECTS } from './set-pgd-defects.js';
import { SET_PTE_DEFECTS } from './set-pte-defects.js';
import { STACK_DEFECTS } from './stack-defects.js';
import { SWITCHER_DEFECTS } from './switcher-defects.js';
import { WALK_DEFECTS } from './walk-defects.js';

/** In the order of their ids, which is also the order of every table of defects. */
export const DEFECTS: readonly Defect[] = [
  ...ACCOUNTING_DEFECTS,
  ...CACHE_DEFECTS,
  ...DEMAND_DEFECTS,
  ...FLUSH_DEFECTS,
  ...LIFE_DEFECTS,
  ...SET_PGD_DEFECTS,
  ...SET_PTE_DEFECTS,
  ...STACK_DEFECTS,
  ...SWITCHER_DEFECTS,
  ...WALK_DEFECTS,
].sort((one, other) => (one.id < other.id ? -1 : 1));

export const defectNamed = (id: string): Defect | undefined => DEFECTS.find((defect) => defect.id === id);

/** Every deviation of lguest's C from machine.md: together they are the variant `impl:lguest`. */
export const lguestDefects = (): readonly Defect[] => DEFECTS.filter(({ inLguest }) => inLguest);

/** A bug that was considered for the catalogue and cannot occur on this machine. */
export interface Unrepresented {
  readonly origin: string;
  readonly reason: string;
}

export const UNREPRESENTED: readonly Unrepresented[] = [
  {
    origin: 'Xen XSA-410',
    reason: 'pages that take too long to be freed: no step here has a duration, so that none can be too long',
  },
  {
    origin: 'lguest 88df781afb7',
    reason:
      'a page that the Launcher replaced by copy-on-write beneath a mapping: its pages never change their identity here',
  },
];
