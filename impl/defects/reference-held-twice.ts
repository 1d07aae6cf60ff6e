import { SWITCHER_TEXT_FRAME } from '../frames.js';
import type { Defect } from './defect.js';

export const referenceHeldTwice: Defect = {
  id: 'reference-held-twice',
  title: 'A leaf holds two references and gives back two',
  class: 'reference leak',
  wrong: 'Taking and dropping agree with each other, and not with what a leaf is: one mapping, one reference.',
  origin: 'constructed from KVM e48bb497b95: the duplicate call, matched by another',
  translation: 'Both calls are duplicated.',
  consequence: 'Whoever looks at the count (copy-on-write, migration) takes the page for shared.',
  harms: 'host',
  rule: 'machine.md 1, Host pages: one reference',
  inLguest: false,
  plant({ references }) {
    const take = references.take.bind(references);
    references.take = (frame) => {
      take(frame);
      if (frame < SWITCHER_TEXT_FRAME) take(frame);
    };
    const drop = references.drop.bind(references);
    references.drop = (frame) => {
      drop(frame);
      if (frame < SWITCHER_TEXT_FRAME) drop(frame);
    };
  },
};
