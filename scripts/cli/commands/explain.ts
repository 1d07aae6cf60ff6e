import type { Command } from 'commander';
import { signatureOf } from '../../../properties/divergence.js';
import { determinism } from '../../../properties/invariants/determinism.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import type { Explanation } from '../../../properties/explain/explanation.js';
import { explainFinding } from '../../../properties/explain/explain.js';
import { EventLoopYield } from '../../terminal/event-loop-yield.js';
import { CommandNotAllowed } from '../../../properties/subjects/subject-names.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { addHelp } from '../help.js';
import type { CaseFile } from '../case-file.js';
import { readCaseFile } from '../case-file.js';
import type { SideFlags, Sides } from '../../terminal/sides.js';
import { addSides, allowedSidesFor, showRecorded } from '../options/side-flags.js';
import { closeSides, startSidesFor } from '../../terminal/sides.js';
import { hanging } from '../../terminal/labelled.js';
import { counted } from '../../terminal/numbers.js';
import { printable } from '../../terminal/printable.js';
import { explanationText } from '../../report/explanation-text.js';
import { signatureLine } from '../../report/finding-text.js';
import type { Session } from '../../terminal/session.js';

interface ExplainFlags extends SideFlags {
  readonly json?: true;
}

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('explain')
    .description('Explain a finding step by step: why it is wrong, and what each step is needed for.')
    .argument('<file>', 'a counterexample or a bare program; - is standard input')
    .option('--json', 'print the explanation as JSON, null if nothing diverges');
  addSides(command, { subject: 'as recorded, else impl', reference: 'as recorded, else model' });
  addHelp(command, [
    ['shadowdiff explain corpus/FILE', 'a counterexample, on the machines that it was found on'],
    ['shadowdiff explain program.json --subject "exec:./my-machine"', 'your own machine on a bare program'],
    ['shadowdiff explain corpus/FILE --json', 'all of it, with every table at every step'],
  ]).action(async (path: string, flags: ExplainFlags) => {
    session.exitCode = await runExplain(path, flags, session);
  });
};

const runExplain = async (path: string, flags: ExplainFlags, session: Session): Promise<ExitCode> => {
  const file = await readCaseFile(path, session.surroundings);
  const sides = allowedSidesFor(file, flags, session);
  if (sides instanceof CommandNotAllowed) {
    showRecorded(file, sides, flags, session);
    return EXIT.inconclusive;
  }
  const explanation = await explain(file, sides, session);
  if (flags.json === true) session.print(JSON.stringify(explanation ?? null));
  else if (explanation === undefined)
    session.print(session.colors.green(hanging('', agreement(file, sides), session.width)));
  else printExplanation(file, explanation, session);
  return explanation === undefined ? EXIT.clean : EXIT.divergence;
};

const explain = async (
  { source, case: found, entry }: CaseFile,
  sides: Sides,
  session: Session,
): Promise<Explanation | undefined> => {
  const eventLoop = new EventLoopYield(session.surroundings.monotonic);
  // `determinism` runs the subject twice, which a bare program may need to diverge.
  const sought = entry?.divergence ?? { invariant: determinism.id };
  const { before = [] } = entry ?? {};
  try {
    await startSidesFor([...before, found.program], source, sides);
    const options = { ...sides, invariants: INVARIANTS, sought, before };
    return await explainFinding(found, { ...options, pause: () => eventLoop.pause() });
  } finally {
    await closeSides(sides);
  }
};

const agreement = ({ case: { program } }: CaseFile, { model, subject }: Sides): string =>
  `agrees: ${printable(subject.name)} with ${printable(model.name)} in ${counted(program.steps.length, 'step')}; there is nothing to explain`;

const printExplanation = ({ source, entry }: CaseFile, explanation: Explanation, session: Session): void => {
  session.print(session.colors.bold(printable(source)));
  for (const line of explanationText(explanation, session)) session.print(line);
  const recorded = entry && signatureOf(entry.divergence);
  if (recorded !== undefined && recorded !== explanation.signature)
    session.print(signatureLine('recorded', recorded, session.width));
};
