/**
 * Host physical memory, as page numbers ("frames"):
 *
 *        0        nothing: a link to it is a stray pointer
 *        1 … 4096 guest RAM, guest page p at frame p + 1
 *     4097        Switcher: text
 *     4098        Switcher: the guest's registers
 *     4099 … 4162 Switcher: state page of host CPU 0 … 63
 *     4163 …      shadow tables
 *
 * All of it is fixed, so that a frame's number alone says what it is.
 */

import { MACHINE_BOUNDS } from '../model/vocabulary/index.js';

export const NO_FRAME = 0;
export const GUEST_FRAME = 1;
export const SWITCHER_TEXT_FRAME = GUEST_FRAME + MACHINE_BOUNDS.guestPages.most;
export const SWITCHER_REGISTERS_FRAME = SWITCHER_TEXT_FRAME + 1;
export const SWITCHER_STATE_FRAME = SWITCHER_REGISTERS_FRAME + 1;
export const TABLE_FRAME = SWITCHER_STATE_FRAME + MACHINE_BOUNDS.hostCpus.most;
