import type { Command } from 'commander';
import type { Divergence } from '../../../properties/divergence.js';
import type { Finding } from '../../../properties/finding.js';
import { SCREEN_DISAGREES, signatureOf } from '../../../properties/divergence.js';
import { judgeOf } from '../../../properties/judging.js';
import { Pair } from '../../../properties/pair.js';
import { determinism } from '../../../properties/invariants/determinism.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { askingOf } from '../../../properties/invariants/asking.js';
import { scopeOf, whyNotRun } from '../../../properties/subjects/scope.js';
import type { Program } from '../../../model/vocabulary/index.js';
import type { Subject } from '../../../properties/subjects/subject.js';
import { capabilitiesOf } from '../../../properties/subjects/subject.js';
import { CommandNotAllowed } from '../../../properties/subjects/subject-names.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { addHelp } from '../help.js';
import { answerOf } from '../../terminal/sides.js';
import type { CaseFile } from '../case-file.js';
import { readCaseFile } from '../case-file.js';
import type { SideFlags, Sides } from '../../terminal/sides.js';
import { addSides, allowedSidesFor, showRecorded } from '../options/side-flags.js';
import { closeSides, startSides } from '../../terminal/sides.js';
import { hanging } from '../../terminal/labelled.js';
import { counted } from '../../terminal/numbers.js';
import { printable } from '../../terminal/printable.js';
import { notAskedText } from '../../report/document/report-verdict.js';
import { REMEMBERS, beforeText, sidesLine, signatureLine } from '../../report/finding-text.js';
import type { Replayed, SideAnswer } from '../../report/replay-text.js';
import { replayJson, replayReport } from '../../report/replay-text.js';
import type { Session } from '../../terminal/session.js';

interface ReplayFlags extends SideFlags {
  readonly json?: true;
}

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('replay')
    .description('Run programs again and list what both sides did at every step.')
    .argument('<file...>', 'counterexamples or bare programs; - is standard input')
    .option('--json', 'print the traces of both sides as JSON lines, and the divergence');
  addSides(command, { subject: 'as recorded, else impl', reference: 'as recorded, else model' });
  addHelp(command, [
    ['shadowdiff replay corpus/FILE', 'a counterexample, on the machines that it was found on'],
    ['shadowdiff replay program.json --subject model', 'a bare program, on other machines'],
  ]).action(async (paths: readonly string[], flags: ReplayFlags) => {
    session.exitCode = await runReplay(paths, flags, session);
  });
};

const runReplay = async (paths: readonly string[], flags: ReplayFlags, session: Session): Promise<ExitCode> => {
  // All files are read before the first program runs, so that a wrong name fails at once.
  const prepared: { readonly file: CaseFile; readonly sides: Sides | CommandNotAllowed }[] = [];
  for (const path of paths) {
    const file = await readCaseFile(path, session.surroundings);
    prepared.push({ file, sides: allowedSidesFor(file, flags, session) });
  }
  let code: ExitCode = EXIT.clean;
  for (const { file, sides } of prepared) {
    if (sides instanceof CommandNotAllowed) {
      showRecorded(file, sides, flags, session);
      if (code === EXIT.clean) code = EXIT.inconclusive;
      continue;
    }
    const replayed = await replay(file, sides);
    if (typeof replayed === 'string') {
      session.complain(`shadowdiff: ${printable(`${file.source}: not run: ${replayed}`)}`);
      if (code === EXIT.clean) code = EXIT.inconclusive;
      continue;
    }
    if (replayed.divergence !== undefined) code = EXIT.divergence;
    const lines = flags.json === true ? replayJson(file.source, replayed) : replayText(file, replayed, session);
    for (const line of lines) session.print(line);
  }
  return code;
};

/** Returns why the program was not run, if a side does not support it. */
const replay = async ({ case: replayed, entry }: CaseFile, sides: Sides): Promise<Replayed | string> => {
  // What only screening sees needs it again. `determinism` runs the subject twice, which a bare program may need to diverge.
  const isScreened = entry?.divergence.invariant === SCREEN_DISAGREES;
  const sought = { place: entry?.divergence.place, invariant: isScreened ? SCREEN_DISAGREES : determinism.id };
  const judging = judgeOf({ ...sides, invariants: INVARIANTS }, sought);
  const { before = [] } = entry ?? {};
  try {
    await startSides(sides);
    const why = await whyNotRun([...before, replayed.program], [sides.subject, sides.model], sides.profile);
    if (why !== undefined) return why;
    const scope = await scopeOf(sides.subject, sides.model, sides.profile);
    const asking = INVARIANTS.map((invariant) => ({ id: invariant.id, ...askingOf(invariant, scope, 'mixed') }));
    const divergence = await judging.judge(replayed, before);
    await new Pair({ ...sides, invariants: INVARIANTS }).lead(before);
    const model = await sideAnswer(sides.model, replayed.program);
    const subject = await sideAnswer(sides.subject, replayed.program);
    return { program: replayed.program, model, subject, asking, divergence };
  } finally {
    await judging.close();
    await closeSides(sides);
  }
};

const sideAnswer = async (side: Subject, program: Program): Promise<SideAnswer> => {
  const { observes } = await capabilitiesOf(side);
  return { name: side.name, observes, answer: await answerOf(side, program) };
};

const replayText = (file: CaseFile, replayed: Replayed, session: Session): readonly string[] => {
  const { colors, width } = session;
  const { model, subject, divergence } = replayed;
  return [
    colors.bold(printable(file.source)),
    sidesLine({ reference: model.name, subject: subject.name, traffic: file.case.traffic }, width),
    ...memoryLines(file.entry, width),
    ...replayReport(replayed, session),
    divergence === undefined
      ? colors.green(hanging('', agreement(replayed), width))
      : colors.red(signatureLine('diverges', signatureOf(divergence), width)),
    ...comparedWithRecord(file, divergence, width),
  ];
};

const memoryLines = (entry: Finding | undefined, width: number): readonly string[] =>
  entry?.before === undefined ? [] : [hanging('  ', `behind ${beforeText(entry.before.length)}: ${REMEMBERS}`, width)];

const agreement = ({ program, model, subject, asking }: Replayed): string => {
  const notAsked = notAskedText(asking);
  const but = notAsked === undefined ? '' : `, but ${notAsked}`;
  return `agrees: ${printable(subject.name)} with ${printable(model.name)} in ${counted(program.steps.length, 'step')}${but}`;
};

const comparedWithRecord = (
  { entry }: CaseFile,
  divergence: Divergence | undefined,
  width: number,
): readonly string[] => {
  if (entry === undefined) return [];
  const recorded = signatureOf(entry.divergence);
  if (divergence !== undefined && signatureOf(divergence) === recorded) return [];
  return entry.status === 'fixed' && divergence === undefined ? [] : [signatureLine('recorded', recorded, width)];
};
