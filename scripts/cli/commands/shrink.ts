import { unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { BadInput, formatProgram } from '../../../properties/formats/index.js';
import type { Case } from '../../../properties/generators/index.js';
import type { Finding, Provenance, Shown } from '../../../properties/finding.js';
import { RERUN_TIME, isAlways, isRunAgain } from '../../../properties/finding.js';
import { timesShown } from '../../../properties/campaign/shrink-finding.js';
import type { Divergence } from '../../../properties/divergence.js';
import { fileNameOf, formatCounterexample } from '../../../properties/corpus/counterexample.js';
import { saveFinding } from '../../../properties/corpus/store.js';
import { signatureOf } from '../../../properties/divergence.js';
import type { Sought } from '../../../properties/judging.js';
import { hurriedJudgeOf, judgeOf } from '../../../properties/judging.js';
import { determinism } from '../../../properties/invariants/determinism.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import type { Shrunk } from '../../../properties/shrink/index.js';
import { DEFAULT_MOST_TRIES, shrink } from '../../../properties/shrink/index.js';
import { EventLoopYield } from '../../terminal/event-loop-yield.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { addHelp } from '../help.js';
import type { CaseFile } from '../case-file.js';
import { readCaseFile, STDIN } from '../case-file.js';
import { DEFAULT_CORPUS, OUTSIDE_CORPUS, corpusOf } from '../../terminal/result-directory.js';
import { MOST_TRIES } from '../../../properties/campaign/campaign-bounds.js';
import type { SideFlags, Sides } from '../../terminal/sides.js';
import { addSides, sidesFor } from '../options/side-flags.js';
import { closeSides, startSidesFor } from '../../terminal/sides.js';
import { wholeNumber } from '../options/option-values.js';
import { counted, formatCount } from '../../terminal/numbers.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';
import { packageVersion } from '../../own-package.js';

interface ShrinkFlags extends SideFlags {
  readonly maxTries: number;
  readonly write?: true;
  readonly corpus?: string;
}

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('shrink')
    .description('Shrink a program that diverges, and print it in its original form.')
    .argument('<file>', 'a counterexample or a bare program; - is standard input')
    .option('--write', 'replace the file of a counterexample; turn a bare program into one')
    .option(
      '--corpus <directory>',
      `where --write puts a new counterexample (default: ${DEFAULT_CORPUS}; of your own machine, ${OUTSIDE_CORPUS})`,
    )
    .option('--max-tries <count>', 'the most candidates to try', wholeNumber(1, MOST_TRIES), DEFAULT_MOST_TRIES);
  addSides(command, { subject: 'as recorded, else impl', reference: 'as recorded, else model' });
  addHelp(command, [
    ['shadowdiff shrink program.json > small.json', 'a bare program stays a bare program'],
    ['shadowdiff shrink corpus/FILE --write', 'after the shrinker has improved'],
  ]).action(async (path: string, flags: ShrinkFlags) => {
    session.exitCode = await runShrink(path, flags, session);
  });
};

const runShrink = async (path: string, flags: ShrinkFlags, session: Session): Promise<ExitCode> => {
  const file = await readCaseFile(path, session.surroundings);
  const sides = sidesFor(file, flags, session);
  const outcome = await shrinkFile(file, sides, flags, session);
  if (outcome.kind === 'flaky') {
    const { signature, shown } = outcome;
    const often = `${sides.subject.name} shows "${signature}" in ${shown.times} of ${shown.runs} runs of one program`;
    session.complain(`shadowdiff: ${printable(`${file.source}: flaky: ${often}`)}; nothing was written`);
    return EXIT.inconclusive;
  }
  const { small, interrupted } = outcome;
  const shrunk = `${counted(file.case.program.steps.length, 'step')} shrunk to ${formatCount(small.case.program.steps.length)}`;
  session.complain(`shadowdiff: ${printable(file.source)}: ${shrunk}, ${counted(small.tried, 'program')} tried`);
  const entry = entryOf(file, small, sides, session);
  if (flags.write === true) session.print(await write(path, file, entry, flags.corpus ?? corpusOf(entry)));
  else
    session.print(file.entry === undefined ? formatProgram(small.case.program) : formatCounterexample(entry).trimEnd());
  return interrupted ? EXIT.interrupted : EXIT.clean;
};

/** `flaky`: the program, or the smaller one that was made of it, shows the finding only in some of its runs. */
type Outcome =
  | { readonly kind: 'shrunk'; readonly small: Shrunk; readonly interrupted: boolean }
  | { readonly kind: 'flaky'; readonly signature: string; readonly shown: Shown };

const shrinkFile = async (
  { source, case: found, entry }: CaseFile,
  sides: Sides,
  flags: ShrinkFlags,
  session: Session,
): Promise<Outcome> => {
  const options = { ...sides, invariants: INVARIANTS };
  const sought: Sought = entry?.divergence ?? { invariant: determinism.id };
  const { before = [] } = entry ?? {};
  // Where a process remembers nothing it may go on from candidate to candidate: the result is confirmed in fresh ones.
  const isApart = before.length > 0 || sought.place?.kind === 'end-of-input';
  const fresh = judgeOf(options, sought);
  const judging = isApart ? fresh : hurriedJudgeOf(options, sought);
  const { monotonic } = session.surroundings;
  const eventLoop = new EventLoopYield(monotonic);
  const untilLate = (): (() => boolean) => {
    const late = monotonic() + RERUN_TIME;
    return () => monotonic() > late;
  };
  let interrupted = false;
  const unsubscribe = session.surroundings.onInterrupt(() => (interrupted = true));
  const judge = async (candidate: Case) => {
    await eventLoop.pause();
    return await judging.judge(candidate, before);
  };
  try {
    await startSidesFor([...before, found.program], source, sides);
    const divergence = await divergenceOf(found, (candidate) => fresh.judge(candidate, before), untilLate());
    if (divergence === undefined) {
      const agreement = `${sides.subject.name} does not diverge from ${sides.model.name} on this program`;
      throw new BadInput(source, `${agreement}; name another --subject, or replay it to look`);
    }
    const signature = signatureOf(divergence);
    const shownBy = (each: Pick<Finding, 'case' | 'divergence'>): Promise<Shown> =>
      timesShown(options, { ...each, before }, { pause: () => eventLoop.pause(), isLate: untilLate() });
    const shownAtFirst = await shownBy({ case: found, divergence });
    if (!isAlways(shownAtFirst)) return { kind: 'flaky', signature, shown: shownAtFirst };
    const limits = { mostTries: flags.maxTries, interrupted: () => interrupted };
    const small = await shrink({ value: found }, signature, judge, limits);
    const { times, runs } = shownAtFirst;
    if (small.kind === 'not-reproduced') return { kind: 'flaky', signature, shown: { times, runs: runs + 1 } };
    const shown = await shownBy(small);
    return isAlways(shown) ? { kind: 'shrunk', small, interrupted } : { kind: 'flaky', signature, shown };
  } finally {
    unsubscribe();
    await judging.close();
    await closeSides(sides);
  }
};

/** Undefined if the program does not diverge in any of its runs. */
const divergenceOf = async (
  found: Case,
  judge: (candidate: Case) => Promise<Divergence | undefined>,
  isLate: () => boolean,
): Promise<Divergence | undefined> => {
  let divergence: Divergence | undefined;
  for (let run = 0; divergence === undefined && isRunAgain(run, isLate()); run++) divergence = await judge(found);
  return divergence;
};

const entryOf = (file: CaseFile, small: Shrunk, sides: Sides, session: Session): Finding => ({
  status: file.entry?.status ?? 'open',
  subject: sides.subject.name,
  reference: sides.model.name,
  ...(sides.profile === 'lguest' ? {} : { profile: sides.profile }),
  case: small.case,
  ...(file.entry?.before === undefined ? {} : { before: file.entry.before }),
  divergence: small.divergence,
  provenance: file.entry?.provenance ?? provenanceOf(file, session),
  note: file.entry?.note ?? '',
});

/** A bare program has no campaign. */
const provenanceOf = ({ source, case: { program } }: CaseFile, { surroundings }: Session): Provenance => ({
  date: surroundings.today().toISOString(),
  version: packageVersion(),
  seed: `none: ${source}`,
  program: 0,
  originalSteps: program.steps.length,
});

/** Answers the path. Removes the old file only after the new one has been written. */
const write = async (path: string, file: CaseFile, entry: Finding, corpus: string): Promise<string> => {
  if (file.entry === undefined || path === STDIN) return await saveFinding(corpus, entry);
  const saved = await saveFinding(dirname(path), entry);
  if (resolve(saved) !== resolve(path) && resolve(path).endsWith(fileNameOf(file.entry))) await unlink(path);
  return saved;
};
