import type { Command } from 'commander';
import { Option } from 'commander';
import type { ExhaustOptions, ExhaustResult } from '../../../properties/exhaust/exhaust.js';
import { canBeExhausted } from '../../../properties/exhaust/exhaust.js';
import type { SmallMachineName } from '../../../properties/exhaust/small-machine.js';
import { SMALL_MACHINES } from '../../../properties/exhaust/small-machine.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { IMPL, MODEL, ownMachine } from '../../../properties/subjects/subject-names.js';
import type { InProcessSubject } from '../../../properties/subjects/subject.js';
import { BadInput } from '../../../properties/formats/index.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import {
  agreement,
  counterexampleReport,
  exhaustJson,
  explorationHead,
  explorationLine,
} from '../exhaust/exhaust-report.js';
import { runExhaust } from '../exhaust/exhaust-run.js';
import type { DefectsFlags } from '../exhaust/shortest-of-all.js';
import { shortestOfAll } from '../exhaust/shortest-of-all.js';
import { addHelp } from '../help.js';
import { DEFAULT_CORPUS } from '../../terminal/result-directory.js';
import { pagingOption, wholeNumber } from '../options/option-values.js';
import type { Session } from '../../terminal/session.js';

const DEFAULT_DEPTH: Readonly<Record<SmallMachineName, number>> = {
  small: 5,
  values: 5,
  // Finitely many states, so the search ends by itself.
  tiny: Infinity,
  pair: Infinity,
};
const MOST_DEPTH = 1000;
/** Up to 63 bytes each; see properties/exhaust/state-table.ts. */
const DEFAULT_STATES = 4_000_000;
const MOST_STATES = 100_000_000;
/** Enough for all programs of six steps in `small`, and some of seven. */
const DEFAULT_STATES_FOR_A_DEFECT = 36_000;

interface ExhaustFlags {
  readonly subject: string;
  readonly reference: string;
  readonly machine: SmallMachineName;
  readonly paging: ExhaustOptions['paging'];
  readonly depth?: number;
  readonly maxStates: number;
  readonly fold: boolean;
  readonly json?: true;
}

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('exhaust')
    .description(
      'Visit all states of a small machine, breadth first, so that a counterexample is as short as possible.',
    )
    .addOption(machineOption())
    .addOption(pagingOption('paging of the guests').default('both'))
    .option(
      '--depth <steps>',
      'steps of the longest program (default: 5; tiny and pair: unlimited)',
      wholeNumber(1, MOST_DEPTH),
    )
    .option(
      '--max-states <count>',
      'states of one exploration; there are three for each paging mode',
      wholeNumber(1, MOST_STATES),
      DEFAULT_STATES,
    )
    .option('--no-fold', 'visit states that differ only in the names of slots, pages and roots separately')
    .option('--subject <name>', 'the machine under test: impl, impl:lguest, impl:DEFECT[,DEFECT…] or model', IMPL.name)
    .option('--reference <name>', 'the machine it must agree with', MODEL.name)
    .option('--json', 'print the result as a JSON object');
  addHelp(command, [
    ['shadowdiff exhaust', 'all programs of up to 5 steps; takes half a minute'],
    ['shadowdiff exhaust --depth 8 --paging pae', 'longer ones'],
    ['shadowdiff exhaust --machine tiny', 'every program of a smaller machine, however long'],
    ['shadowdiff exhaust --subject impl:upper-entry-open', 'the shortest program that shows a bug'],
  ]).action(async (flags: ExhaustFlags) => {
    session.exitCode = await runCommand(flags, session);
  });
  addDefects(command, session);
};

const machineOption = (): Option =>
  new Option('--machine <name>', 'the machine and its alphabet of steps').choices(SMALL_MACHINES).default('small');

const runCommand = async (flags: ExhaustFlags, session: Session): Promise<ExitCode> => {
  const options = optionsOf(flags);
  const json = flags.json === true;
  if (!json) session.print(explorationHead(session));
  const result = await runExhaust(
    options,
    (exploration, milliseconds) => {
      if (!json) session.print(explorationLine(exploration, milliseconds));
    },
    session,
  );
  if (json) session.print(exhaustJson(options, result, { milliseconds: result.milliseconds }));
  else for (const line of verdictLines(options, result, session)) session.print(line);
  return result.interrupted ? EXIT.interrupted : exitCodeOf(result);
};

const optionsOf = (flags: ExhaustFlags): ExhaustOptions => ({
  subject: transparent(flags.subject, '--subject'),
  model: transparent(flags.reference, '--reference'),
  invariants: INVARIANTS,
  machine: flags.machine,
  paging: flags.paging,
  folding: flags.fold ? 'names' : 'nothing',
  mostSteps: flags.depth ?? DEFAULT_DEPTH[flags.machine],
  mostStates: flags.maxStates,
});

const transparent = (name: string, flag: string): InProcessSubject => {
  const subject = ownMachine(name, flag);
  if (subject !== undefined && canBeExhausted(subject)) return subject;
  throw new BadInput(
    flag,
    'the state of this machine cannot be read; use impl, impl:DEFECT or model, or try: shadowdiff fuzz',
  );
};

const verdictLines = (options: ExhaustOptions, result: ExhaustResult, session: Session): readonly string[] => {
  if (result.found !== undefined) return ['', ...counterexampleReport(result.found, session)];
  return ['', agreement(options, result, session)];
};

/** Inconclusive if a limit other than the depth ended it. */
const exitCodeOf = ({ explorations, found }: ExhaustResult): ExitCode => {
  if (found !== undefined) return EXIT.divergence;
  const limited = explorations.some(({ result: { end } }) => end.kind === 'states' || end.kind === 'memory');
  return limited ? EXIT.inconclusive : EXIT.clean;
};

const addDefects = (command: Command, session: Session): void => {
  const defects = command
    .command('defects')
    .description('Find the shortest program for every defect of the catalogue.')
    .option('--defect <id...>', 'only these')
    .addOption(machineOption())
    .option(
      '--max-states <count>',
      'states of one exploration, after which a defect counts as not found',
      wholeNumber(1, MOST_STATES),
      DEFAULT_STATES_FOR_A_DEFECT,
    )
    .option('--record', 'record the results in the corpus, replacing counterexamples by shorter ones')
    .option('--corpus <directory>', 'where the counterexamples are', DEFAULT_CORPUS);
  addHelp(defects, [
    ['shadowdiff exhaust defects', 'all of them; takes some minutes'],
    ['shadowdiff exhaust defects --record', 'and record the results in the corpus'],
  ]).action(async (flags: DefectsFlags) => {
    session.exitCode = await shortestOfAll({ ...flags, ...sharedOptions(command) }, session);
  });
};

/** Commander assigns options that `exhaust` and `exhaust defects` share to the former, wherever they stand. */
const sharedOptions = (exhaust: Command): Partial<DefectsFlags> => {
  const given = (name: string): boolean => exhaust.getOptionValueSource(name) === 'cli';
  const { machine, maxStates } = exhaust.opts<ExhaustFlags>();
  return { ...(given('machine') && { machine }), ...(given('maxStates') && { maxStates }) };
};
