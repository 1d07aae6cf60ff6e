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
import type { CampaignFlags, CampaignPlan } from './campaign-plan.js';
import { profileOf, settingsOf } from './campaign-plan.js';
import { commonScope, refuseNoProgram } from './campaign-scope.js';
import { newPlan } from './new-plan.js';
import { resumedPlan } from './resumed-plan.js';
import type { CampaignRecord } from './run-directory.js';
import { RUN_FILE } from './run-directory.js';
import { readKnown } from './tolerance.js';

/** Throws `BadInput` for options that contradict each other, and for a run that cannot be resumed. */
export const campaignPlan = async (
  kind: CampaignRecord['kind'],
  flags: CampaignFlags,
  session: Session,
): Promise<CampaignPlan> => {
  const plan = flags.resume === undefined ? newPlan(kind, flags, session) : await resumedPlan(flags.resume, flags);
  return {
    ...plan,
    known: await readKnown(plan.part.known ?? undefined),
    allowed: allowedBy(flags),
    startTimeout: flags.startTimeout ?? DEFAULT_START_TIMEOUT,
    capabilities: {},
  };
};

/** Whatever cannot work is reported before anything is written. Returns the plan with what its sides can do. */
export const checkPlan = async (plan: CampaignPlan, session: Session): Promise<CampaignPlan> => {
  const { directory, resumed, record } = plan;
  const source = resumed ? join(directory!, RUN_FILE) : '--subject';
  const sides = recordedSides({ ...record.campaign, source }, session, settingsOf(plan));
  // One shard of several only reads the corpus, which may lie in a read-only image.
  if (record.campaign.shards === 1) await checkDirectory('--corpus', plan.part.corpus);
  if (directory !== undefined) await checkDirectory('--out', directory);
  try {
    return await scopedPlan(plan, sides);
  } finally {
    await closeSides(sides);
  }
};

/** Starts the sides. */
const scopedPlan = async (plan: CampaignPlan, { subject, model }: Sides): Promise<CampaignPlan> => {
  const { campaign } = plan.record;
  const profile = profileOf(campaign);
  // Machines of this package that have nothing to start take every program.
  const isPlain = (side: Subject): boolean => ownMachine(side.name, RUN_FILE) !== undefined && side.start === undefined;
  if (profile === 'lguest' && [subject, model].every(isPlain)) return withoutScope(plan);
  const scope = await commonScope({ subject, model, profile });
  const foreign = [subject, model].filter((side) => side.start !== undefined);
  const known = foreign.map(async (side) => [side.name, await capabilitiesOf(side)] as const);
  return withScope(plan, scope, Object.fromEntries(await Promise.all(known)));
};

const CHANGED = 'a side no longer does and shows what it did when the run began; begin a new run';

/** Both sides are machines of this package: their names imply what they do and show. Throws `BadInput` if the run records anything else. */
const withoutScope = (plan: CampaignPlan): CampaignPlan => {
  if (plan.record.campaign.scope !== undefined) throw new BadInput('--resume', CHANGED);
  return plan;
};

/**
 * The plan with what its sides can do and show. Throws `BadInput` if they can do too little for any program, or no longer what they could
 * when the run began.
 */
const withScope = (plan: CampaignPlan, scope: Scope, capabilities: CampaignPlan['capabilities']): CampaignPlan => {
  const { record, resumed } = plan;
  const { campaign } = record;
  if (resumed && !isDeepStrictEqual(campaign.scope, recordedScope(scope))) throw new BadInput('--resume', CHANGED);
  refuseNoProgram(campaign, scope);
  return { ...plan, capabilities, record: { ...record, campaign: { ...campaign, scope: recordedScope(scope) } } };
};

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
