/** Every defect, by id. Adding one is adding a file and a line here. */

import { badStackIsAHostBug } from './bad-stack-is-a-host-bug.js';
import { blankSlotFirst } from './blank-slot-first.js';
import { blankSlotWithoutStack } from './blank-slot-without-stack.js';
import { broadcastReachesCurrentSlotOnly } from './broadcast-reaches-current-slot-only.js';
import { broadcastStopsAtFirstSlot } from './broadcast-stops-at-first-slot.js';
import { clearAllSparesOtherSlots } from './clear-all-spares-other-slots.js';
import { creationLeaksRoot } from './creation-leaks-root.js';
import { deadGuestStillFlushes } from './dead-guest-still-flushes.js';
import { deadGuestStillStores } from './dead-guest-still-stores.js';
import type { Defect } from './defect.js';
import { demandChecksLeafRightsAlone } from './demand-checks-leaf-rights-alone.js';
import { demandTakesPageTwice } from './demand-takes-page-twice.js';
import { deviceAddressWithoutOffset } from './device-address-without-offset.js';
import { deviceBorderOffByOne } from './device-border-off-by-one.js';
import { dirtyLostOnSecondFault } from './dirty-lost-on-second-fault.js';
import { dirtyTakesForWriting } from './dirty-takes-for-writing.js';
import { drawFromHiddenState } from './draw-from-hidden-state.js';
import { emptySlotIsRootZero } from './empty-slot-is-root-zero.js';
import { entryStoredInHalves } from './entry-stored-in-halves.js';
import { evictionFlushesWrongSlot } from './eviction-flushes-wrong-slot.js';
import { faultCodeFromShadow } from './fault-code-from-shadow.js';
import { flushScopesInverted } from './flush-scopes-inverted.js';
import { flushSkipsStraddlingTable } from './flush-skips-straddling-table.js';
import { flushUserTakesKernelToo } from './flush-user-takes-kernel-too.js';
import { freedTableStaysLinked } from './freed-table-stays-linked.js';
import { hitFlushesUserHalf } from './hit-flushes-user-half.js';
import { killNamesWrongAddress } from './kill-names-wrong-address.js';
import { largeLeafAccepted } from './large-leaf-accepted.js';
import { largeTableAccepted } from './large-table-accepted.js';
import { lastEntryNotReleased } from './last-entry-not-released.js';
import { leafOnePastRam } from './leaf-one-past-ram.js';
import { leafPageTruncated } from './leaf-page-truncated.js';
import { leafReservedBitsIgnored } from './leaf-reserved-bits-ignored.js';
import { oldCpuPagesStayMapped } from './old-cpu-pages-stay-mapped.js';
import { oldLeafNotReleased } from './old-leaf-not-released.js';
import { pinIgnoresUpperEntry } from './pin-ignores-upper-entry.js';
import { readInstallsWritable } from './read-installs-writable.js';
import { reclaimFreesTableInUse } from './reclaim-frees-table-in-use.js';
import { referenceHeldTwice } from './reference-held-twice.js';
import { refusedPageKeepsLeaf } from './refused-page-keeps-leaf.js';
import { reservedSizeOfOtherMode } from './reserved-size-of-other-mode.js';
import { rootComparedByPage } from './root-compared-by-page.js';
import { rootDroppedWhileCurrent } from './root-dropped-while-current.js';
import { setPgdLosesSwitcher } from './set-pgd-loses-switcher.js';
import { setPgdOfOtherRootIgnored } from './set-pgd-of-other-root-ignored.js';
import { setPgdOnePastTheEnd } from './set-pgd-one-past-the-end.js';
import { setPgdSkipsKernelHalf } from './set-pgd-skips-kernel-half.js';
import { setPteInLinearMode } from './set-pte-in-linear-mode.js';
import { setPteInstallsAbsent } from './set-pte-installs-absent.js';
import { setPteInstallsUnaccessed } from './set-pte-installs-unaccessed.js';
import { setPteIntoSwitcher } from './set-pte-into-switcher.js';
import { setPteKeepsBadLeaf } from './set-pte-keeps-bad-leaf.js';
import { setPteKeepsGuessedPage } from './set-pte-keeps-guessed-page.js';
import { setPteUpgradesInPlace } from './set-pte-upgrades-in-place.js';
import { setPteWritableBeforeDirty } from './set-pte-writable-before-dirty.js';
import { slotWithoutPageIsRootZero } from './slot-without-page-is-root-zero.js';
import { stackInSwitcherAllowed } from './stack-in-switcher-allowed.js';
import { stackPinnedReadOnly } from './stack-pinned-read-only.js';
import { statePageWritable } from './state-page-writable.js';
import { tableLostOnSecondAllocation } from './table-lost-on-second-allocation.js';
import { tablePageTruncated } from './table-page-truncated.js';
import { teardownForgetsTables } from './teardown-forgets-tables.js';
import { upperEntryKeepsSupervisor } from './upper-entry-keeps-supervisor.js';
import { upperEntryNeverRefreshed } from './upper-entry-never-refreshed.js';
import { upperEntryOnlyGains } from './upper-entry-only-gains.js';
import { upperEntryOpen } from './upper-entry-open.js';
import { victimIgnoresDraw } from './victim-ignores-draw.js';
import { windowOfOneCpuTooMany } from './window-of-one-cpu-too-many.js';
import { writeBackOfMoreThanDirty } from './write-back-of-more-than-dirty.js';

/** In the order of their ids. */
export const DEFECTS: readonly Defect[] = [
  badStackIsAHostBug,
  blankSlotFirst,
  blankSlotWithoutStack,
  broadcastReachesCurrentSlotOnly,
  broadcastStopsAtFirstSlot,
  clearAllSparesOtherSlots,
  creationLeaksRoot,
  deadGuestStillFlushes,
  deadGuestStillStores,
  demandChecksLeafRightsAlone,
  demandTakesPageTwice,
  deviceAddressWithoutOffset,
  deviceBorderOffByOne,
  dirtyLostOnSecondFault,
  dirtyTakesForWriting,
  drawFromHiddenState,
  emptySlotIsRootZero,
  entryStoredInHalves,
  evictionFlushesWrongSlot,
  faultCodeFromShadow,
  flushScopesInverted,
  flushSkipsStraddlingTable,
  flushUserTakesKernelToo,
  freedTableStaysLinked,
  hitFlushesUserHalf,
  killNamesWrongAddress,
  largeLeafAccepted,
  largeTableAccepted,
  lastEntryNotReleased,
  leafOnePastRam,
  leafPageTruncated,
  leafReservedBitsIgnored,
  oldCpuPagesStayMapped,
  oldLeafNotReleased,
  pinIgnoresUpperEntry,
  readInstallsWritable,
  reclaimFreesTableInUse,
  referenceHeldTwice,
  refusedPageKeepsLeaf,
  reservedSizeOfOtherMode,
  rootComparedByPage,
  rootDroppedWhileCurrent,
  setPgdLosesSwitcher,
  setPgdOfOtherRootIgnored,
  setPgdOnePastTheEnd,
  setPgdSkipsKernelHalf,
  setPteInLinearMode,
  setPteInstallsAbsent,
  setPteInstallsUnaccessed,
  setPteIntoSwitcher,
  setPteKeepsBadLeaf,
  setPteKeepsGuessedPage,
  setPteUpgradesInPlace,
  setPteWritableBeforeDirty,
  slotWithoutPageIsRootZero,
  stackInSwitcherAllowed,
  stackPinnedReadOnly,
  statePageWritable,
  tableLostOnSecondAllocation,
  tablePageTruncated,
  teardownForgetsTables,
  upperEntryKeepsSupervisor,
  upperEntryNeverRefreshed,
  upperEntryOnlyGains,
  upperEntryOpen,
  victimIgnoresDraw,
  windowOfOneCpuTooMany,
  writeBackOfMoreThanDirty,
];

export const defectNamed = (id: string): Defect | undefined => DEFECTS.find((defect) => defect.id === id);

/** Every deviation of lguest's C from machine.md: together they are the variant `impl:lguest`. */
export const lguestDefects = (): readonly Defect[] => DEFECTS.filter(({ inLguest }) => inLguest);
