import type { Defect } from './defect.js';

export const blankSlotWithoutStack: Defect = {
  id: 'blank-slot-without-stack',
  title: 'A blank slot is entered without the stack pinned',
  class: 'missing check',
  wrong: 'The stack is pinned by SET_STACK and after a flush, but not when the guest switches to a slot that is new.',
  origin: 'constructed from lguest’s guest_new_pagetable and its repin',
  translation: 'Literally.',
  consequence: 'The first trap on the new page directory faults while it pushes.',
  harms: 'guest',
  rule: 'machine.md 3, new-pgtable: if blank, pin the stack',
  inLguest: false,
  plant({ calls, stack }) {
    const sound = calls.newPgtable.bind(calls);
    calls.newPgtable = (root, draw) => {
      const pin = stack.pin.bind(stack);
      stack.pin = () => undefined;
      try {
        sound(root, draw);
      } finally {
        stack.pin = pin;
      }
    };
  },
};
