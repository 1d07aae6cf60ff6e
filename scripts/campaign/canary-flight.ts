/** The second phase: a planted bug that the campaign must find, by the same workers and the same way. */

import { DEFAULT_PROGRAM_OPTIONS } from '../../properties/generators/index.js';
import { CANARY_PROGRAMS, canaryCampaign, canaryOf } from '../../properties/campaign/canary.js';
import { MODEL } from '../../properties/subjects/subject-names.js';
import type { CampaignSettings } from './tasks.js';
import type { Workshop } from './workshop.js';

/** Programs in one task. */
const BATCH = 64;

export const flyCanary = async (workshop: Workshop): Promise<void> => {
  if (workshop.ledger.canary !== undefined) return;
  const defect = canaryOf(workshop.settings.campaign).id;
  let next = 0;
  let caught = Infinity;
  await workshop.everyWorker(async () => {
    const first = next;
    if (first >= Math.min(CANARY_PROGRAMS, caught)) return false;
    next += BATCH;
    const program = await firstCatch(defect, first, workshop);
    caught = Math.min(caught, program);
    return true;
  });
  // Whoever goes on flies it again.
  if (workshop.isClosed) return;
  const isCaught = caught !== Infinity;
  workshop.remember({ kind: 'canary', defect, caught: isCaught, programs: isCaught ? caught + 1 : CANARY_PROGRAMS });
};

/** The first of a batch of programs that catches the defect; infinite if none does. */
const firstCatch = async (defect: string, first: number, workshop: Workshop): Promise<number> => {
  const settings: CampaignSettings = {
    ...workshop.settings,
    ...DEFAULT_PROGRAM_OPTIONS,
    campaign: canaryCampaign(workshop.settings.campaign),
    subject: `impl:${defect}`,
    reference: MODEL.name,
  };
  const batch = { range: { first, stride: 1, count: BATCH }, skip: [], enough: {} };
  const outcome = await workshop.have({ kind: 'batch', settings, batch, careful: false });
  if (outcome.kind !== 'done') return Infinity;
  return Math.min(...outcome.result.sightings.flatMap((each) => each.first.map(({ program }) => program)));
};
