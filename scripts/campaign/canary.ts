/** The canary of a campaign: a planted bug that its workers must find. If they miss it, what else they did not find proves nothing. */

import type { Defect } from '../../impl/defects/defect.js';
import { DEFECTS } from '../../impl/defects/catalogue.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../properties/generators/index.js';
import { shardSeed } from '../../properties/seeds.js';
import { MODEL } from '../../properties/subjects/subject-names.js';
import type { RunContext } from './run-context.js';
import { MOST_ATTEMPTS, failureText } from './run-context.js';
import type { CampaignSettings } from './tasks.js';

/** Programs after which the canary counts as missed; every defect shows in far fewer (`shadowdiff defects matrix`). */
const CANARY_PROGRAMS = 8192;
/** Programs in one task. */
const BATCH = 64;

/** It has programs of its own: those of the campaign must not depend on it. */
const canaryCampaign = (campaign: string): string => `${campaign}/canary`;

/** The campaign's name chooses the defect. */
const canaryOf = (campaign: string): Defect =>
  DEFECTS[(shardSeed(canaryCampaign(campaign), 0, 1) >>> 0) % DEFECTS.length];

export const flyCanary = async (context: RunContext): Promise<void> => {
  if (context.ledger.canary !== undefined) return;
  const defect = canaryOf(context.settings.campaign).id;
  let next = 0;
  let caught = Infinity;
  let isKnown = true;
  await context.onEveryWorker(async () => {
    const first = next;
    if (!isKnown || first >= Math.min(CANARY_PROGRAMS, caught)) return false;
    next += BATCH;
    const program = await firstCatch(defect, first, context);
    isKnown &&= program !== undefined;
    caught = Math.min(caught, program ?? Infinity);
    return true;
  });
  // A run that resumes flies it again.
  if (context.isClosed || !isKnown) return;
  const isCaught = caught !== Infinity;
  context.record({ kind: 'canary', defect, caught: isCaught, programs: isCaught ? caught + 1 : CANARY_PROGRAMS });
};

/** The first program of a batch that catches the defect; infinite if none does, undefined if that is not known. */
const firstCatch = async (defect: string, first: number, context: RunContext): Promise<number | undefined> => {
  const settings: CampaignSettings = {
    ...context.settings,
    ...DEFAULT_PROGRAM_OPTIONS,
    steps: undefined,
    guestPages: undefined,
    features: undefined,
    profile: undefined,
    judge: undefined,
    campaign: canaryCampaign(context.settings.campaign),
    subject: `impl:${defect}`,
    reference: MODEL.name,
  };
  const batch = { range: { first, stride: 1, count: BATCH }, skip: [], enough: {} };
  const task = { kind: 'batch', settings, batch } as const;
  const outcome = await context.perform(task, { attempts: MOST_ATTEMPTS });
  if (outcome.kind === 'failed') context.leaveUndone(task, failureText(outcome));
  if (outcome.kind !== 'done') return undefined;
  return Math.min(...outcome.result.findings.map(({ provenance }) => provenance.program));
};
