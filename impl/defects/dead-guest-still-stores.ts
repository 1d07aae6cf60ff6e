import type { Defect } from './defect.js';

export const deadGuestStillStores: Defect = {
  id: 'dead-guest-still-stores',
  title: 'A killed guest goes on',
  class: 'missing check',
  wrong: 'Nothing remembers that the guest was killed: the next step runs.',
  origin: 'constructed from Xen’s handling of crashed domains: one that is crashed and not stopped',
  translation: 'The guest is the machine’s; the step after the kill is taken as if nothing had been.',
  consequence: 'Whatever the kill was to prevent happens one step later.',
  harms: 'host',
  rule: 'machine.md 3, Kills: every later step is dead',
  inLguest: false,
  plant(machine) {
    machine.stopsAt = () => {
      machine.guest.killedFor = undefined;
      return undefined;
    };
  },
};
