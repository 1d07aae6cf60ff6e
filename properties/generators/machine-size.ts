/** Machines that programs ask for: mostly small, so that pages meet, with the ends of every range at times. */

import type { MachineConfig, Paging } from '../../model/vocabulary/index.js';
import { MACHINE_BOUNDS } from '../../model/vocabulary/index.js';
import type { Draw } from './draw.js';

const drawGuestPages = (draw: Draw): number => {
  const rare = draw.below(64);
  if (rare === 0) return MACHINE_BOUNDS.guestPages.most;
  if (rare <= 2) return draw.between(MACHINE_BOUNDS.guestPages.least, 4);
  if (rare <= 4) return draw.between(5, 15);
  return draw.between(16, 64);
};

const drawHostCpus = (draw: Draw): number => (draw.oneIn(64) ? MACHINE_BOUNDS.hostCpus.most : draw.between(1, 4));

/** Creation takes two allocations in 2-level and three in PAE: there is more to undo at the later ones. The fourth never comes. */
const FAILURES: Readonly<Record<Paging, readonly number[]>> = { '2-level': [1, 2, 2, 2, 3], pae: [1, 2, 2, 3, 3, 4] };

/** Nothing lives on a machine that was not created: such a program costs a few steps, and tests no others. */
const drawFailure = (draw: Draw, paging: Paging): number => (draw.oneIn(32) ? draw.pick(FAILURES[paging]) : 0);

export const drawMachine = (draw: Draw, paging: Paging): MachineConfig => ({
  paging,
  guestPages: drawGuestPages(draw),
  devicePages: draw.below(9),
  hostCpus: drawHostCpus(draw),
  draw: draw.unsigned(),
  failAllocation: drawFailure(draw, paging),
});
