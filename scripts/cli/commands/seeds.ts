import type { Command } from 'commander';
import { BadInput, formatProgram } from '../../../properties/formats/index.js';
import { programArbitrary } from '../../../properties/generators/index.js';
import { programSeed, programsOfShard, randomFor, shardSeed } from '../../../properties/seeds.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { trafficFor } from '../../campaign/new-plan.js';
import { addHelp } from '../help.js';
import { campaignName } from '../options/campaign.js';
import { MOST_PROGRAMS, MOST_SHARDS } from '../../../properties/campaign/campaign-bounds.js';
import type { ProgramFlags } from '../options/program-options.js';
import { addProgramOptions, campaignTrafficOption, programOptionsOf } from '../options/program-options.js';
import { featuresOption, profileOption, wholeNumber } from '../options/option-values.js';
import type { Session } from '../../terminal/session.js';

interface SeedsFlags extends Omit<ProgramFlags, 'traffic'> {
  readonly traffic?: ProgramFlags['traffic'];
  readonly campaign: string;
  readonly shards: number;
  readonly programs: number;
  readonly shard?: number;
  readonly json?: true;
  readonly program?: number;
  readonly print?: true;
}

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('seeds')
    .description(
      'List the seeds of a campaign, or print one program. A program does not depend on the number of shards.',
    )
    .requiredOption('--campaign <name>', 'name of the campaign, as given to fuzz --seed', campaignName)
    .option(
      '--shards <count>',
      'shards that share the work; program k runs on shard k mod count',
      wholeNumber(1, MOST_SHARDS),
      1,
    )
    .option('--programs <count>', 'programs of the campaign', wholeNumber(0, MOST_PROGRAMS), 10)
    .option('--shard <index>', 'only this shard, from 0', wholeNumber(0, MOST_SHARDS - 1))
    .option('--program <index>', 'only this program, from 0', wholeNumber(0, MOST_PROGRAMS - 1))
    .option('--print', 'print the program as JSON; needs --program')
    .option('--json', 'print one JSON object per line');
  addHelp(
    addProgramOptions(command, campaignTrafficOption()).addOption(profileOption('lguest')).addOption(featuresOption()),
    [
      ['shadowdiff seeds --campaign nightly --shards 4 --programs 100', 'which shard runs which program'],
      ['shadowdiff seeds --campaign nightly --program 7 --print', 'program 7, as fuzz --seed nightly runs it'],
    ],
  ).action(async (flags: SeedsFlags) => {
    session.exitCode = await runSeeds(flags, session);
  });
};

const runSeeds = async (flags: SeedsFlags, session: Session): Promise<ExitCode> => {
  const { campaign, shards, shard, program } = flags;
  const traffic = trafficFor(flags);
  if (flags.print === true && program === undefined)
    throw new BadInput('--print', 'which program? name it with --program');
  if (shard !== undefined && shard >= shards) {
    throw new BadInput('--shard', `there is no shard ${shard} of ${shards}, because they count from 0; raise --shards`);
  }
  if (flags.print === true && program !== undefined) {
    session.print(formatProgram(programOf(campaign, program, { ...flags, traffic })));
  } else if (program !== undefined) {
    await printProgram(program, flags, session);
  } else {
    for (const each of shardsOf(flags)) await printShard(each, flags, session);
  }
  return EXIT.clean;
};

/** The same program that fuzz runs. */
const programOf = (campaign: string, index: number, flags: ProgramFlags) =>
  programArbitrary(programOptionsOf(flags)).generate(randomFor(programSeed(campaign, index)), undefined).value.program;

const shardsOf = ({ shard, shards }: SeedsFlags): readonly number[] =>
  shard === undefined ? Array.from({ length: shards }, (_, index) => index) : [shard];

const printShard = async (shard: number, flags: SeedsFlags, session: Session): Promise<void> => {
  const { campaign, shards, programs, json } = flags;
  const seed = shardSeed(campaign, shard, shards);
  await session.stream(
    json === true ? JSON.stringify({ shard, shards, seed }) : `shard ${shard} of ${shards}  seed ${seed}`,
  );
  for (const program of programsOfShard(shard, shards)) {
    if (program >= programs || session.unread) return;
    await printProgram(program, flags, session);
  }
};

const printProgram = async (
  program: number,
  { campaign, shards, json }: SeedsFlags,
  session: Session,
): Promise<void> => {
  const seed = programSeed(campaign, program);
  const shard = program % shards;
  await session.stream(
    json === true ? JSON.stringify({ program, shard, seed }) : `  program ${program}  shard ${shard}  seed ${seed}`,
  );
};
