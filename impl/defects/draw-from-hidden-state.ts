import { SLOTS, slot } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const drawFromHiddenState: Defect = {
  id: 'draw-from-hidden-state',
  title: 'The victim is drawn from a generator of the machine’s own',
  class: 'hidden state',
  wrong: 'Random replacement uses a state that lives from one program to the next.',
  origin: 'lguest, new_pgdir: prandom_u32, as the C has it before draws are made part of the program',
  translation: 'The state is a counter.',
  consequence: 'No finding can be replayed.',
  harms: 'guest',
  rule: 'machine.md 3, new-pgtable: draw is the random number used',
  inLguest: false,
  plant({ cache }) {
    const sound = cache.victim.bind(cache);
    let state = 0;
    cache.victim = () => sound(slot((state = (state + 1) % SLOTS)));
  },
};
