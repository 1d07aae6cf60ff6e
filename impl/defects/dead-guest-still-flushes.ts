import type { Defect } from './defect.js';

export const deadGuestStillFlushes: Defect = {
  id: 'dead-guest-still-flushes',
  title: 'A killed guest’s next step still releases tables',
  class: 'missing check',
  wrong: 'Whether the guest is dead is asked after the current slot was flushed, not before.',
  origin: 'constructed from Xen’s handling of crashed domains',
  translation: 'Literally: the answer is right, and something was done.',
  consequence: 'Work for a guest that is gone; with references in it, a race against its teardown.',
  harms: 'host',
  rule: 'machine.md 3, Kills: does nothing',
  inLguest: false,
  plant(machine) {
    const { guest, tables } = machine;
    const sound = machine.apply.bind(machine);
    machine.apply = (step) => {
      if (guest.killedFor !== undefined) tables.releaseTables(guest.current);
      return sound(step);
    };
  },
};
