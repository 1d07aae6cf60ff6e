import { KILL } from '../../model/vocabulary/index.js';
import type { Defect } from './defect.js';

export const setPteKeepsBadLeaf: Defect = {
  id: 'set-pte-keeps-bad-leaf',
  title: 'A bad entry leaves the old leaf behind after its reference was dropped',
  class: 'double put',
  wrong:
    'The old leaf is released before the new entry is checked. When the check kills the guest, the leaf is still there, and teardown drops its reference again.',
  origin: 'lguest, __guest_set_pte: release_pte, then check_gpte, then return',
  translation: 'Literally: the function is the same here.',
  consequence:
    'A guest kills itself and takes a reference with it that belongs to somebody else: the page may be freed while it is in use.',
  harms: 'host',
  rule: 'machine.md 3, set-pte: release the leaf and clear it',
  inLguest: true,
  plant({ calls, tables, host, guest }) {
    const sound = calls.setLeaf.bind(calls);
    calls.setLeaf = (target, address, pte) => {
      const offset = tables.findTable(target, address) ? tables.leafOffset : undefined;
      const old = offset === undefined ? 0 : host.words[offset];
      sound(target, address, pte);
      if (offset !== undefined && guest.killedFor === KILL.badTableEntry) host.write(offset, old);
    };
  },
};
