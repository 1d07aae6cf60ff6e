/** A campaign as its options ask for it, once its sides have shown what they can do. */

import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { MACHINE_BOUNDS } from '../../model/vocabulary/index.js';
import { BadInput } from '../../properties/formats/index.js';
import type { Scope } from '../../properties/subjects/scope.js';
import type { Subject } from '../../properties/subjects/subject.js';
import { capabilitiesOf } from '../../properties/subjects/subject.js';
import { DEFAULT_START_TIMEOUT, ownMachine } from '../../properties/subjects/subject-names.js';
import { checkDirectory } from '../terminal/result-directory.js';
import type { Session } from '../terminal/session.js';
import type { Sides } from '../terminal/sides.js';
import { allowedBy, closeSides, recordedSides } from '../terminal/sides.js';
import type { CampaignFlags, CampaignPlan, UncheckedPlan } from './campaign-plan.js';
import { profileOf } from './campaign-plan.js';
import { commonScope, refuseNoProgram } from './campaign-scope.js';
import { newPlan } from './new-plan.js';
import { resumedPlan } from './resumed-plan.js';
import type { CampaignRecord } from './run-directory.js';
import { RUN_FILE } from './run-directory.js';
import { readKnown } from './tolerance.js';

/**
 * Throws `BadInput` for options that contradict each other, for a run that cannot be resumed, and for whatever else cannot work: all of
 * that is reported before anything is written.
 */
export const campaignPlan = async (
  kind: CampaignRecord['kind'],
  flags: CampaignFlags,
  session: Session,
): Promise<CampaignPlan> => {
  const plan = flags.resume === undefined ? newPlan(kind, flags, session) : await resumedPlan(flags.resume, flags);
  const { directory, resumed, part } = plan;
  const { campaign } = plan.record;
  const known = await readKnown(part.known ?? undefined);
  const allowed = allowedBy(flags);
  const { startTimeout = DEFAULT_START_TIMEOUT } = flags;
  const source = resumed ? join(directory!, RUN_FILE) : '--subject';
  const { caseTimeout } = campaign;
  const sides = recordedSides({ ...campaign, source }, session, { caseTimeout, startTimeout, allowed });
  // One shard of several only reads the corpus, which may lie in a read-only image.
  if (campaign.shards === 1) await checkDirectory('--corpus', part.corpus);
  if (directory !== undefined) await checkDirectory('--out', directory);
  try {
    return { ...plan, known, allowed, startTimeout, ...(await scoped(plan, sides)) };
  } finally {
    await closeSides(sides);
  }
};

/**
 * The record of the plan, with what its sides can do and show. Starts them. Throws `BadInput` if they can do too little for any program, or
 * no longer what they could when the run began.
 */
const scoped = async (
  { record, resumed }: UncheckedPlan,
  { subject, model }: Sides,
): Promise<Pick<CampaignPlan, 'record' | 'capabilities'>> => {
  const { campaign } = record;
  const profile = profileOf(campaign);
  // Machines of this package that have nothing to start take every program, and their names imply what they show.
  const isPlain = (side: Subject): boolean => ownMachine(side.name, RUN_FILE) !== undefined && side.start === undefined;
  if (profile === 'lguest' && [subject, model].every(isPlain)) {
    if (campaign.scope !== undefined) throw new BadInput('--resume', CHANGED);
    return { record, capabilities: {} };
  }
  const common = await commonScope({ subject, model, profile });
  const scope = recordedScope(common);
  if (resumed && !isDeepStrictEqual(campaign.scope, scope)) throw new BadInput('--resume', CHANGED);
  refuseNoProgram(campaign, common);
  const foreign = [subject, model].filter((side) => side.start !== undefined);
  const known = foreign.map(async (side) => [side.name, await capabilitiesOf(side)] as const);
  const capabilities = Object.fromEntries(await Promise.all(known));
  return { record: { ...record, campaign: { ...campaign, scope } }, capabilities };
};

const CHANGED = 'a side no longer does and shows what it did when the run began; begin a new run';

const recordedScope = ({
  paging,
  guestPages,
  features,
  steps,
  subjectShows,
  referenceShows,
  edges,
}: Scope): NonNullable<CampaignRecord['scope']> => ({
  paging: [...paging],
  ...(guestPages === MACHINE_BOUNDS.guestPages.most ? {} : { guestPages }),
  ...(features.length === 0 ? {} : { features: [...features] }),
  steps: [...steps],
  subjectShows: [...subjectShows],
  referenceShows: [...referenceShows],
  edges,
});
