import type { Command } from 'commander';
import { DEFAULT_MOST_TRIES } from '../../../properties/shrink/index.js';
import { checkDirectory, makeResultDirectory } from '../../terminal/result-directory.js';
import type { FuzzFlags } from '../../campaign/plan.js';
import { planOf } from '../../campaign/plan.js';
import { readKnown } from '../../campaign/known.js';
import { fuzzAndSummarize } from '../../campaign/run.js';
import { writeSummary } from '../../report/document/summary-document.js';
import { addHelp } from '../help.js';
import { campaignName } from '../options/campaign.js';
import { CORPUS } from '../options/corpus.js';
import { duration } from '../options/duration.js';
import { MOST_PROGRAMS, MOST_TRIES } from '../options/limits.js';
import { addProgramOptions } from '../options/programs.js';
import { share } from '../options/share.js';
import { addSides } from '../options/sides.js';
import { closeSides, startSides } from '../../terminal/sides.js';
import { wholeNumber } from '../options/whole-number.js';
import { shellWord } from '../../terminal/shell-words.js';
import { summaryReport } from '../../report/summary-text.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import type { Session } from '../../terminal/session.js';

const MOST_FINDINGS = 10_000;
const DEFAULT_FINDINGS = 10;

export const registerFuzz = (program: Command, session: Session): void => {
  const command = program
    .command('fuzz')
    .description('Run random programs on two machines in lockstep; shrink and keep what makes them diverge.')
    .option('--time <duration>', 'stop after this long (default: 60s)', duration)
    .option('--programs <count>', 'stop after so many programs, if that comes first', wholeNumber(0, MOST_PROGRAMS))
    .option(
      '--seed <name>',
      'name of the campaign; the same name runs the same programs (default: a fresh one)',
      campaignName,
    );
  addProgramOptions(command);
  addSides(command, { subject: 'impl', reference: 'model' })
    .option('--invariant <id...>', 'ask only these (see: shadowdiff invariants)')
    .option(
      '--max-findings <count>',
      'stop after so many kinds of finding',
      wholeNumber(1, MOST_FINDINGS),
      DEFAULT_FINDINGS,
    )
    .option(
      '--max-tries <count>',
      'candidates tried to shrink a finding',
      wholeNumber(0, MOST_TRIES),
      DEFAULT_MOST_TRIES,
    )
    .option('--guided <share>', 'make this share of the programs from the program pool of the corpus, 0 to 1', share, 0)
    .option('--corpus <directory>', 'where counterexamples are kept; made when there is one', CORPUS)
    .option('--known <file>', 'known findings: counted, and not a failure until they expire')
    .option('--out <directory>', 'also write summary.json and findings/ here');
  addHelp(command, [
    ['shadowdiff fuzz', 'a minute of everything'],
    ['shadowdiff fuzz --programs 5000 --seed nightly', 'the same programs each time'],
    ['shadowdiff fuzz --traffic coherent --paging pae', 'only a part of it'],
    ["shadowdiff fuzz --subject 'exec:./my-subject'", 'a machine in another process, in any language'],
  ]).action(async (flags: FuzzFlags) => {
    session.exitCode = await runFuzz(flags, session);
  });
};

const runFuzz = async (flags: FuzzFlags, session: Session): Promise<ExitCode> => {
  const plan = await planOf(flags, await readKnown(flags.known), session);
  const { campaign } = plan.options;
  await checkDirectory('--corpus', plan.corpus);
  if (plan.out !== undefined) await checkDirectory('--out', plan.out);
  try {
    await startSides(plan.options);
    if (plan.out !== undefined) await makeResultDirectory('--out', plan.out);
    const guided = flags.guided === 0 ? '' : ` --guided ${flags.guided} and the same pool`;
    session.print(`seed ${campaign}   (repeat with --seed ${shellWord(campaign)}${guided})`);
    const summary = await fuzzAndSummarize(plan, session);
    session.print();
    for (const line of summaryReport(summary, session)) session.print(line);
    if (plan.out !== undefined) await writeSummary(plan.out, summary);
    return summary.exitCode;
  } finally {
    await closeSides(plan.options);
  }
};
