import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { BadInput, formatTrace, parseProgram, readJson } from '../../../properties/formats/index.js';
import type { Program } from '../../../model/vocabulary/index.js';
import { LARGEST_FILE } from '../../../properties/corpus/store.js';
import type { Capabilities } from '../../../properties/subjects/capabilities.js';
import { formatHello, isHello } from '../../../properties/subjects/capabilities.js';
import type { Subject } from '../../../properties/subjects/subject.js';
import { capabilitiesOf } from '../../../properties/subjects/subject.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { addHelp } from '../help.js';
import { answerOf } from '../../terminal/sides.js';
import { readLines } from '../../terminal/bounded-lines.js';
import { readCaseFile, STDIN } from '../case-file.js';
import type { TimeLimitFlags } from '../../terminal/sides.js';
import { addTimeLimits } from '../options/side-flags.js';
import { allowedBy, subjectOf } from '../../terminal/sides.js';
import { printable } from '../../terminal/printable.js';
import type { Surroundings } from '../../terminal/surroundings.js';
import type { Session } from '../../terminal/session.js';

interface TraceFlags extends TimeLimitFlags {
  readonly subject: string;
  readonly shadow?: true;
}

/** How many programs may be sent before the first is answered: lines wait in the pipe. */
const IN_FLIGHT = 16;

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('trace')
    .description(
      'Answer programs by the subject protocol: read one program a line and write one trace a line, until the input ends.',
    )
    .argument('[file]', 'programs, one per line, or one program over many lines; - is standard input', STDIN)
    .option('--subject <name>', 'the machine that answers', 'impl')
    .option('--shadow', 'add its shadow tables after each step, as a subject that observes them reports them');
  addHelp(addTimeLimits(command), [
    ['shadowdiff trace program.json', 'the trace of one program'],
    ['shadowdiff trace --subject model < programs.jsonl', 'the traces of many'],
    ['shadowdiff trace --shadow program.json', 'what a subject of yours that observes its shadow should answer'],
    ["shadowdiff fuzz --subject 'exec:shadowdiff trace --shadow'", 'the machine in a process of its own'],
  ]).action(async (path: string, flags: TraceFlags) => {
    session.exitCode = await runTrace(path, flags, session);
  });
};

const runTrace = async (path: string, flags: TraceFlags, session: Session): Promise<ExitCode> => {
  const subject = subjectOf(session, flags.subject, '--subject', { ...flags, allowed: allowedBy(flags) });
  try {
    const traced = { subject, capabilities: await tracedCapabilities(subject, flags) };
    const single = path === STDIN ? undefined : await singleProgram(path, session.surroundings);
    if (single !== undefined) return await answer(single, traced, path, session);
    const stdin = path === STDIN;
    const lines = stdin ? session.surroundings.stdin() : createReadStream(path);
    return await answerLines(lines, stdin ? 'standard input' : path, traced, session);
  } finally {
    if (subject.kind === 'external') await subject.close();
  }
};

/** A machine, and what its traces show. */
interface Traced {
  readonly subject: Subject;
  readonly capabilities: Capabilities;
}

/** Starts a subject outside this process. Throws `BadInput` if it shows no shadow tables and should. */
const tracedCapabilities = async (subject: Subject, { shadow }: TraceFlags): Promise<Capabilities> => {
  const { observes, ...others } = await capabilitiesOf(subject);
  if (shadow === true && !observes.includes('shadow')) {
    throw new BadInput('--shadow', `${subject.name} shows no shadow tables; leave the option out`);
  }
  const shown = shadow === true ? observes : observes.filter((each) => each !== 'shadow');
  return { ...others, observes: shown, inFlight: IN_FLIGHT, encoding: 'json', edges: 0 };
};

/** The program of a file that holds a single one, perhaps over many lines; undefined if the first line is a program by itself. */
const singleProgram = async (path: string, surroundings: Surroundings): Promise<Program | undefined> => {
  if (await startsWithProgram(path)) return undefined;
  return (await readCaseFile(path, surroundings)).case.program;
};

const startsWithProgram = async (path: string): Promise<boolean> => {
  const size = await sizeOf(path);
  // The other reader reports missing files, directories and empty files.
  if (size === undefined || size === 0) return false;
  if (size > LARGEST_FILE) return true;
  const stream = createReadStream(path);
  try {
    for await (const line of readLines(stream, path)) return isJson(line);
    return false;
  } finally {
    stream.destroy();
  }
};

const sizeOf = async (path: string): Promise<number | undefined> => {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
};

const isJson = (line: string): boolean => {
  try {
    readJson(line, 'program', 'file');
    return true;
  } catch {
    return false;
  }
};

const answerLines = async (stream: Readable, source: string, traced: Traced, session: Session): Promise<ExitCode> => {
  let number = 0;
  for await (const line of readLines(stream, source)) {
    number++;
    if (line.trim() === '') continue;
    if (number === 1 && isHello(line, source)) {
      await session.stream(formatHello(traced.capabilities));
      continue;
    }
    const where = `${source}: line ${number}`;
    const code = await answer(parseProgram(line, where), traced, where, session);
    if (code !== EXIT.clean || session.unread) return code;
  }
  if (number === 0) throw new BadInput(source, 'there is no program; give one per line');
  return EXIT.clean;
};

const answer = async (
  program: Program,
  { subject, capabilities }: Traced,
  where: string,
  session: Session,
): Promise<ExitCode> => {
  const withShadow = capabilities.observes.includes('shadow');
  const answered = await answerOf(subject, program, withShadow);
  if (answered.kind === 'trace') {
    await session.stream(formatTrace(answered.trace, capabilities.observes));
    return EXIT.clean;
  }
  session.complain(`shadowdiff: ${printable(`${where}: ${answered.failure}: ${answered.detail}`)}`);
  return EXIT.divergence;
};
