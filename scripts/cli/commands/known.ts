import { stat } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { isSignature, parseCounterexample } from '../../../properties/corpus/counterexample.js';
import { readTextFile } from '../../../properties/corpus/store.js';
import { signatureOf } from '../../../properties/divergence.js';
import { BadInput } from '../../../properties/formats/index.js';
import type { KnownFinding } from '../../../properties/known-findings.js';
import { isExpired, parseKnownFindings } from '../../../properties/known-findings.js';
import { addHelp } from '../help.js';
import { formatKnown, withFinding, withoutFinding, writeKnownText } from '../known-file.js';
import { withLock } from '../../terminal/lock.js';
import { counted } from '../../terminal/numbers.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';

interface KnownFlags {
  readonly known: string;
  /** Seen from the directory of the process. */
  readonly counterexample?: string;
}

type NewFinding = Pick<KnownFinding, 'reason' | 'owner' | 'expires'>;

const DAY = 86_400_000;
const DEFAULT_FILE = 'known-findings.json';

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('known')
    .description('Edit the file of known findings, which do not fail a run until they expire.');
  addHelp(command, [
    ['shadowdiff known list', 'the findings of ./known-findings.json, and the days each has left'],
    [
      "shadowdiff known add --counterexample corpus/flush--set-pgd--0f0f0f0f.json --reason 'fix in review' --owner 'mm team' --expires 2027-03-31",
      'the finding that fuzz stored there; a program that needs other kinds of steps is new, even with the same signature',
    ],
    [
      "shadowdiff known add 'flush | set-pgd | kept' --reason 'fix in review' --owner 'mm team' --expires 2027-03-31",
      'by the signature alone: the first program that a run finds stands for it',
    ],
    ["shadowdiff known remove 'flush | set-pgd | kept'", 'after it was fixed'],
  ]);
  addList(command, session);
  addAdd(command, session);
  addRemove(command, session);
};

const withFile = (command: Command): Command => command.option('--known <file>', 'the file', DEFAULT_FILE);

const addList = (command: Command, session: Session): void => {
  withFile(
    command.command('list', { isDefault: true }).description('List the known findings, with the days each has left.'),
  )
    .option('--json', 'a JSON object a line')
    .action(async ({ known, json }: KnownFlags & { readonly json?: true }) => {
      const today = session.surroundings.today().toISOString().slice(0, 10);
      const findings = parseKnownFindings(await readTextFile(known), known);
      if (findings.length === 0 && json !== true)
        session.complain(`shadowdiff: ${printable(known)}: no known findings`);
      for (const each of findings) {
        session.print(json === true ? JSON.stringify(asJson(each, today)) : lineOf(each, today, session));
      }
    });
};

const asJson = (finding: KnownFinding, today: string): object => ({
  ...finding,
  expired: isExpired(finding, today),
  daysLeft: daysLeft(finding, today),
});

const lineOf = (finding: KnownFinding, today: string, { colors }: Session): string => {
  const { signature, counterexample, reason, owner, expires } = finding;
  const left = isExpired(finding, today)
    ? colors.red(`expired ${expires}`)
    : `${counted(daysLeft(finding, today), 'day')} left`;
  const shown = counterexample === undefined ? '' : `\n  shown by ${printable(counterexample)}`;
  return `${colors.bold(printable(signature))}\n  ${left}, ${printable(owner)}: ${printable(reason)}${shown}`;
};

/** Whole days from today to the last day; below zero if it is over. */
const daysLeft = ({ expires }: KnownFinding, today: string): number => (Date.parse(expires) - Date.parse(today)) / DAY;

/** A change takes milliseconds. */
const CHANGING = { patience: 10_000, refusal: 'another process changes the known findings here; wait until it ends' };

/** One process at a time changes a file of known findings. The lock is on its directory, and so leaves no file. */
const changing = (known: string, session: Session, change: () => Promise<void>): Promise<void> =>
  withLock(`${dirname(known)}/`, CHANGING, session, change);

/** A mistyped one would excuse nothing. */
const signature = (text: string): string => {
  if (isSignature(text)) return text;
  throw new InvalidArgumentError(
    "Copy it from fuzz's output: an invariant, a step and a difference, as in 'flush | set-pgd | kept'.",
  );
};

/** Nothing has this name. A name that cannot be a file's, such as one behind a file, is not missing. */
const isMissing = (path: string): Promise<boolean> =>
  stat(path).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ENOENT',
  );

const addAdd = (command: Command, session: Session): void => {
  withFile(command.command('add').description('Add a known finding; creates the file if it does not exist.'))
    .argument('[signature]', 'the signature that fuzz printed (default: that of --counterexample)', signature)
    .option('--counterexample <file>', 'a program that shows it: one that needs other kinds of steps is new')
    .requiredOption('--reason <text>', 'why it is not fixed yet')
    .requiredOption('--owner <name>', 'the person or team responsible')
    .requiredOption('--expires <day>', 'the last day, YYYY-MM-DD')
    .action(async (named: string | undefined, flags: KnownFlags & NewFinding) => {
      const { known, counterexample, reason, owner, expires } = flags;
      const signature = await signatureFor(named, counterexample);
      const finding: KnownFinding = { signature, ...namedIn(flags), reason, owner, expires };
      await changing(known, session, async () => {
        const text = (await isMissing(known)) ? formatKnown([]) : await readTextFile(known);
        await writeKnownText(known, withFinding(text, finding, known));
      });
      session.print(`${printable(known)}: added ${printable(signature)}`);
    });
};

/** Throws `BadInput` if neither is given, or both and they differ. */
const signatureFor = async (named: string | undefined, file: string | undefined): Promise<string> => {
  if (file === undefined) {
    if (named === undefined) throw new BadInput('known add', 'give the signature, or the file of a --counterexample');
    return named;
  }
  const shown = signatureOf(parseCounterexample(await readTextFile(file), file).divergence);
  if (named === undefined || named === shown) return shown;
  throw new BadInput('--counterexample', `${file} shows "${shown}"; leave out the signature, or name another file`);
};

/** The counterexample as seen from the file of known findings. */
const namedIn = ({ known, counterexample }: KnownFlags): Pick<KnownFinding, 'counterexample'> =>
  counterexample === undefined ? {} : { counterexample: relative(dirname(known), counterexample) };

const addRemove = (command: Command, session: Session): void => {
  withFile(command.command('remove').description('Remove a known finding.'))
    .argument('<signature>', 'the signature that known list prints')
    .option('--counterexample <file>', 'its counterexample, if there are several of this signature')
    .action(async (signature: string, flags: KnownFlags) => {
      const { known } = flags;
      const { counterexample } = namedIn(flags);
      await changing(known, session, async () => {
        await writeKnownText(known, withoutFinding(await readTextFile(known), signature, known, counterexample));
      });
      session.print(`${printable(known)}: removed ${printable(signature)}`);
    });
};
