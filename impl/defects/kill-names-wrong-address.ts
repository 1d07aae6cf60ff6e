import { vaddr } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const killNamesWrongAddress: Defect = {
  id: 'kill-names-wrong-address',
  title: 'A bad stack page is reported by its page instead of its address',
  class: 'wrong mask',
  wrong: 'The kill’s text prints the address with its offset cut off.',
  origin: 'constructed: two versions of one message',
  translation: 'Literally.',
  consequence: 'A log that points to the wrong place.',
  harms: 'guest',
  rule: 'machine.md 3, pin the stack: the text',
  inLguest: false,
  plant({ stack, guest }) {
    const sound = stack.pin.bind(stack);
    stack.pin = () => {
      const stackPage = guest.stackPage.bind(guest);
      guest.stackPage = (index) => vaddr(stackPage(index) & ~0xfff);
      try {
        sound();
      } finally {
        guest.stackPage = stackPage;
      }
    };
  },
};
