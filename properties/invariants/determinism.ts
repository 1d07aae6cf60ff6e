import { GUEST, PAGING } from './situations/dimensions.js';
import type { Invariant } from './invariant.js';
import { VACUOUS, stateless } from './invariant.js';

/** Needs two runs, which `Pair.repeat` compares; listed here so that it is counted and reported like the others. */
export const determinism: Invariant = {
  id: 'determinism',
  statement: 'The same program gives the same trace again.',
  source: 'machine.md 3, new-pgtable: draws are part of the program',
  exercisedBy: 'a program that was run twice',
  harms: 'guest',
  looksAt: ['outcome'],
  contract: 'any',
  ofRacy: false,
  neverAlone: 'of two answers to one program at most one can be the model’s',
  stages: [],
  situations: [{ name: 'a program run twice', stages: ['destroy'], dimensions: [PAGING, GUEST] }],
  watch: stateless(() => VACUOUS),
};
