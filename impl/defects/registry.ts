/** Every defect, by id. Adding one is adding a file and a line here. */

import { creationLeaksRoot } from './creation-leaks-root.js';
import type { Defect } from './defect.js';
import { demandChecksLeafRightsAlone } from './demand-checks-leaf-rights-alone.js';
import { dirtyTakesForWriting } from './dirty-takes-for-writing.js';
import { emptySlotIsRootZero } from './empty-slot-is-root-zero.js';
import { faultCodeFromShadow } from './fault-code-from-shadow.js';
import { flushSkipsStraddlingTable } from './flush-skips-straddling-table.js';
import { leafReservedBitsIgnored } from './leaf-reserved-bits-ignored.js';
import { pinIgnoresUpperEntry } from './pin-ignores-upper-entry.js';
import { setPgdLosesSwitcher } from './set-pgd-loses-switcher.js';
import { setPgdOnePastTheEnd } from './set-pgd-one-past-the-end.js';
import { setPteInLinearMode } from './set-pte-in-linear-mode.js';
import { setPteInstallsAbsent } from './set-pte-installs-absent.js';
import { setPteInstallsUnaccessed } from './set-pte-installs-unaccessed.js';
import { setPteKeepsBadLeaf } from './set-pte-keeps-bad-leaf.js';
import { setPteWritableBeforeDirty } from './set-pte-writable-before-dirty.js';
import { upperEntryNeverRefreshed } from './upper-entry-never-refreshed.js';

export const DEFECTS: readonly Defect[] = [
  creationLeaksRoot,
  demandChecksLeafRightsAlone,
  dirtyTakesForWriting,
  emptySlotIsRootZero,
  faultCodeFromShadow,
  flushSkipsStraddlingTable,
  leafReservedBitsIgnored,
  pinIgnoresUpperEntry,
  setPgdLosesSwitcher,
  setPgdOnePastTheEnd,
  setPteInLinearMode,
  setPteInstallsAbsent,
  setPteInstallsUnaccessed,
  setPteKeepsBadLeaf,
  setPteWritableBeforeDirty,
  upperEntryNeverRefreshed,
];

export const defectNamed = (id: string): Defect | undefined => DEFECTS.find((defect) => defect.id === id);

/** Every deviation of lguest's C from machine.md: together they are the variant `impl:lguest`. */
export const lguestDefects = (): readonly Defect[] => DEFECTS.filter(({ inLguest }) => inLguest);
