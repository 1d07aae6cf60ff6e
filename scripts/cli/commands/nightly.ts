import type { Command } from 'commander';
import type { CampaignFlags } from '../../campaign/campaign-plan.js';
import { runCampaign } from '../../campaign/run-campaign.js';
import type { Session } from '../../terminal/session.js';
import { addHelp } from '../help.js';
import { addCampaignOptions } from '../options/campaign.js';
import { shardOf } from '../options/shard.js';
import { addAllowExec } from '../options/side-flags.js';

type NightlyFlags = Omit<CampaignFlags, 'shard'> & { readonly shard?: string };

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('nightly')
    .description('Run a whole campaign: replay the corpus, catch a planted bug (the canary), fuzz, shrink, triage.');
  addCampaignOptions(command, {
    time: '10m',
    jobs: 'workers (default: one for each core)',
    corpus: 'replayed first, and where new counterexamples are kept',
    out: 'where the results go; history.jsonl beside it gets a line (default: out/DATE-SEED)',
  })
    .option('--shard <i/n>', 'run only the programs k with k mod n = i; auto asks the scheduler')
    .option('--resume <directory>', 'resume a run that ended early');
  addHelp(addAllowExec(command), [
    ['shadowdiff nightly --time 1h', 'an hour of everything'],
    ['shadowdiff nightly --resume out/RUN', 'resume a run that was cut off'],
    ['shadowdiff nightly --seed tonight --shard 0/4', 'a quarter of a campaign; see: shadowdiff merge'],
  ]).action(async ({ shard, ...flags }: NightlyFlags) => {
    const sharded = shard === undefined ? {} : { shard: shardOf(shard, session.surroundings.env) };
    session.exitCode = await runCampaign('nightly', { ...flags, ...sharded }, session);
  });
};
