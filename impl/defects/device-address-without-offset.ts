import { paddr } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const deviceAddressWithoutOffset: Defect = {
  id: 'device-address-without-offset',
  title: 'A device access loses its offset',
  class: 'wrong mask',
  wrong: 'The address that the Launcher is told for an access to a device is that of its page.',
  origin: 'constructed from lguest’s demand_page, which joins page and offset',
  translation: 'Literally.',
  consequence: 'Every register of a device looks like its first.',
  harms: 'guest',
  rule: 'machine.md 3, demand 4: outcome mmio with the physical address',
  inLguest: false,
  plant({ demand }) {
    const sound = demand.page.bind(demand);
    demand.page = (address, code) => {
      const end = sound(address, code);
      demand.deviceAddress = paddr(demand.deviceAddress & ~0xfff);
      return end;
    };
  },
};
