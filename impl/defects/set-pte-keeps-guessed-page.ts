import { GUEST_FRAME } from '../frames.js';
import type { Defect } from './defect.js';

export const setPteKeepsGuessedPage: Defect = {
  id: 'set-pte-keeps-guessed-page',
  title: 'set-pte keeps the page that it took and did not need',
  class: 'reference leak',
  wrong:
    'The page of an announced entry is taken before it is known whether the slot has a table for the address; without one it is not given back.',
  origin: 'KVM 2065b3727ec: a page guessed from a guest’s write to its tables was not released',
  translation: 'The guess is the entry of the call; the table that is missing is the shadow’s.',
  consequence: 'Pages of the host stay pinned for good.',
  harms: 'host',
  rule: 'machine.md 3, set-pte: where the shadow has no table, nothing happens',
  inLguest: false,
  plant({ calls, tables, walk, references }) {
    const sound = calls.setLeaf.bind(calls);
    calls.setLeaf = (target, address, pte) => {
      const guessed = calls.worthInstalling(pte) && walk.placeOf(pte.low, pte.high) === 'ram';
      if (guessed && !tables.findTable(target, address)) references.take(GUEST_FRAME + (pte.low >>> 12));
      sound(target, address, pte);
    };
  },
};
