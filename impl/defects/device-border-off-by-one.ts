import { LARGE } from '../shadow-entry.js';
import type { Defect } from './defect.js';

export const deviceBorderOffByOne: Defect = {
  id: 'device-border-off-by-one',
  title: 'The page behind the last device page passes for a device',
  class: 'off-by-one',
  wrong: 'The end of the device range is compared with <= instead of <.',
  origin: 'constructed: the mistake of lguest’s guest_set_pgd, at another border',
  translation: 'Literally.',
  consequence: 'The Launcher is asked to emulate a device that does not exist.',
  harms: 'guest',
  rule: 'machine.md 1, Guest RAM: MMIO',
  inLguest: false,
  plant({ walk, guest }) {
    const sound = walk.placeOf.bind(walk);
    walk.placeOf = (low, high) =>
      high === 0 && (low & LARGE) === 0 && low >>> 12 === guest.guestPages + guest.devicePages
        ? 'device'
        : sound(low, high);
  },
};
