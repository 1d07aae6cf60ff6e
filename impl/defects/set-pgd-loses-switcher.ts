import type { Defect } from './defect.js';

export const setPgdLosesSwitcher: Defect = {
  id: 'set-pgd-loses-switcher',
  title: 'set-pgd of another root loses that slot’s Switcher',
  class: 'lost hypervisor window',
  wrong:
    'When set-pgd throws away the top entry under the Switcher, the Switcher is mapped again in the current slot instead of the one that lost it, which still passes for mapped.',
  origin: 'lguest, guest_set_pgd calling allocate_switcher_mapping',
  translation: 'Literally: the function is the same here.',
  consequence:
    'The next switch to that root enters the guest without the hypervisor’s window: the host follows a null pointer.',
  harms: 'host',
  rule: 'machine.md 3, set-pgd',
  inLguest: true,
  plant({ calls, switcher, guest, shadow }) {
    calls.restoreSwitcher = (target, index) => {
      const text = shadow.leafAt(guest.current, guest.sizes.switcherAddress);
      if (text === undefined) switcher.map(guest.current);
      if (calls.holdsSwitcher(index)) switcher.forgetCpu(target);
    };
  },
};
