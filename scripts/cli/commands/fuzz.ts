import type { Command } from 'commander';
import { MOST_FINDINGS } from '../../../properties/campaign/campaign-bounds.js';
import type { CampaignFlags } from '../../campaign/campaign-plan.js';
import { DEFAULTS } from '../../campaign/new-plan.js';
import { runCampaign } from '../../campaign/run-campaign.js';
import type { Session } from '../../terminal/session.js';
import { addHelp } from '../help.js';
import { addCampaignOptions } from '../options/campaign.js';
import { wholeNumber } from '../options/option-values.js';

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('fuzz')
    .description('Run random programs on two machines in lockstep; shrink and keep those on which they diverge.');
  addCampaignOptions(command, {
    time: '60s',
    jobs: 'workers; 1 runs in this process (default: one for each core)',
    corpus: 'where counterexamples are kept; made for the first one',
    out: 'also write the results of the run here',
  })
    .option('--invariant <id...>', 'check only these (see: shadowdiff invariants)')
    .option(
      '--max-findings <count>',
      `stop after this many kinds of finding (default: ${DEFAULTS.fuzz.maxFindings})`,
      wholeNumber(1, MOST_FINDINGS),
    );
  addHelp(command, [
    ['shadowdiff fuzz', 'a minute of everything'],
    ['shadowdiff fuzz --programs 5000 --seed nightly', 'the same programs each time'],
    ['shadowdiff fuzz --traffic coherent --paging pae', 'only a part of it'],
    ["shadowdiff fuzz --subject 'exec:./my-subject'", 'a machine in another process, in any language'],
    ['shadowdiff fuzz --subject module:./mine.mjs', 'one in JavaScript, in the same process'],
    ['shadowdiff fuzz --subject wasm:./mine.wasm', 'one in WebAssembly, from C, Rust or anything else'],
    [
      'shadowdiff fuzz --profile architecture --reference walk --subject metal:v86',
      'the MMU of an emulator, under a kernel of ours',
    ],
  ]).action(async (flags: CampaignFlags) => {
    session.exitCode = await runCampaign('fuzz', flags, session);
  });
};
