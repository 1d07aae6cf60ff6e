/**
 * An external subject: a command that reads programs and answers each with a trace (formats.md, Subject protocol). Every other behaviour is
 * a failure of its own class, after which the command is restarted.
 *
 * Programs are sent in rounds of as many as the command takes at a time. The next round is sent as soon as one has been answered, so that
 * the command works while its answers are judged; they are handed over when the next round has gone well too, because output that no
 * program asked for may come late and pass for an answer. If anything goes wrong, nothing of either round counts: its programs are asked
 * again one by one. That shows whose failure it was, whatever the size of rounds and the timing.
 */

import { isUtf8 } from 'node:buffer';
import { parseArgsStringToArgv } from 'string-argv';
import {
  BadInput,
  ProgramWriter,
  TraceReader,
  formatProgram,
  parseTrace,
  quoted,
  whyFailed,
} from '../formats/index.js';
import type { Program, Trace } from '../../model/vocabulary/index.js';
import type { SubjectFailure } from '../divergence.js';
import type { Break, Life } from './command-life.js';
import type { Capabilities } from './capabilities.js';
import type { Introduced } from './introduction.js';
import { NotIntroduced, introduce, reintroduce } from './introduction.js';
import { breadcrumb, processCrash } from './process-crash.js';
import { ProcessHistory } from './process-history.js';
import type { Answer, ExternalSubject, FailedEnd } from './subject.js';
import { failedAnswer } from './subject.js';
import { LONGEST_TIMER } from './time-limit.js';

/** A command of this package. */
export interface OwnCommand {
  /** Of the subject, also in messages. */
  readonly name: string;
  readonly argv: readonly string[];
  /** What to do if it does not come to its first answer. */
  readonly remedies: Readonly<Record<SubjectFailure, string>>;
}

export interface CommandOptions {
  /** Milliseconds for one program, at least 1. */
  readonly caseTimeout: number;
  /** Milliseconds from the start of the command to its first answer, at least 1. */
  readonly startTimeout: number;
  /** What it can do, if it said so in another process. */
  readonly known?: Capabilities | undefined;
}

/** A program that waits for its answer. */
interface Waiting {
  readonly program: Program;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Programs that were sent together, and what came of them. */
interface Round {
  readonly programs: readonly Waiting[];
  /** In order; some may be missing behind the first failure. */
  readonly answers: readonly Answer[];
  /** One answer to each program, and each of them a trace. */
  readonly isGood: boolean;
}

const END_OF_INPUT = { place: { kind: 'end-of-input' }, stage: 'end-of-input' } as const;

const NO_ROUND: Round = { programs: [], answers: [], isGood: true };

/** How long a command is watched for output that no program asked for, in milliseconds: at the end, and if there was some. */
const LAST_WATCH = 10;
const CLOSE_WATCH = 50;

export class CommandSubject implements ExternalSubject {
  readonly kind = 'external';
  readonly name: string;
  private readonly argv: readonly string[];
  /** What messages call it. */
  private readonly title: string;
  private readonly remedies: OwnCommand['remedies'];
  private readonly where: string;
  private readonly caseTimeout: number;
  private readonly startTimeout: number;
  private introduced: Promise<Introduced> | undefined = undefined;
  /** The process that was started last. */
  private spawned: Promise<Life> | undefined = undefined;
  /** Since its first start, here or in another process. */
  private known: Capabilities | undefined;
  /** Programs that have not been sent, or are to be sent again. */
  private readonly queue: Waiting[] = [];
  /** All that has not been answered. */
  private readonly open = new Set<Waiting>();
  private serving: Promise<void> | undefined = undefined;
  /** Calls of `close` that have not returned. */
  private closes = 0;
  /** What `introduced` resolved to. */
  private ready: Introduced | undefined = undefined;
  /** The process whose pipe was just found empty. */
  private heard: Life | undefined = undefined;
  private readonly history = new ProcessHistory();
  private readonly writer = new ProgramWriter();
  private reader: TraceReader | undefined = undefined;

  /**
   * @param command - a command line: words separated by blanks; quotes of either kind hold a word together. There is no shell, so nothing
   * else is special. Or a command of this package
   * @param where - the option that the command came from, for messages
   * @throws BadInput if the command line is empty or a quote is not closed
   */
  constructor(command: string | OwnCommand, where: string, { caseTimeout, startTimeout, known }: CommandOptions) {
    const isOwn = typeof command !== 'string';
    this.name = isOwn ? command.name : `exec:${command}`;
    this.argv = isOwn ? command.argv : argumentsOf(command, where);
    this.title = isOwn ? command.name : this.argv[0];
    this.remedies = isOwn ? command.remedies : START_REMEDIES;
    this.where = where;
    this.caseTimeout = Math.min(caseTimeout, LONGEST_TIMER);
    this.startTimeout = Math.min(startTimeout, LONGEST_TIMER);
    this.known = known;
  }

  async start(): Promise<Capabilities> {
    if (this.known !== undefined) return this.known;
    try {
      return (await this.begin()).capabilities;
    } catch (error) {
      if (!(error instanceof NotIntroduced)) throw error;
      const { failure, detail, standardError } = error.answer;
      const problem = `cannot use ${quoted(this.title)}: ${detail}; ${this.remedies[failure]}`;
      throw new BadInput(this.where, problem, { standardError });
    }
  }

  /**
   * May be called again before it has answered: answers come in order. Rejects with `BadInput` if the command cannot be started for the
   * first time, and with an `Error` if it is closed.
   */
  answer(program: Program): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const waiting = { program, resolve, reject };
      this.open.add(waiting);
      this.queue.push(waiting);
      // Programs that are asked at the same time make one round.
      this.serving ??= Promise.resolve().then(() => this.serve());
    });
  }

  private async serve(): Promise<void> {
    try {
      const { inFlight } = await this.start();
      while (this.queue.length > 0) await this.serveRounds(inFlight);
    } catch (error) {
      this.queue.length = 0;
      for (const { reject } of this.open) reject(error);
      this.open.clear();
    }
    this.serving = undefined;
  }

  /** Serves until nothing waits. */
  private async serveRounds(inFlight: number): Promise<void> {
    const asksAhead = this.queue.length > 1;
    let last = NO_ROUND;
    let confirmed = NO_ROUND;
    while (this.queue.length > 0) {
      const asked = this.ask(this.queue.splice(0, inFlight), 0);
      this.handOver(confirmed);
      const next = await asked;
      if (next.isGood) [confirmed, last] = [last, next];
      else [confirmed, last] = [await this.singledOut(last, next), NO_ROUND];
    }
    this.handOver(confirmed);
    // A caller that asks for one program at a time does not wait longer: the next program will listen first.
    const broken = asksAhead ? await this.ready?.life.listen(LAST_WATCH) : undefined;
    this.heard = undefined;
    this.handOver(broken === undefined ? last : await this.singledOut(last, NO_ROUND));
  }

  private handOver({ programs, answers }: Round): void {
    for (const [index, waiting] of programs.entries()) {
      this.open.delete(waiting);
      waiting.resolve(answers[index]);
    }
  }

  /** Asks the programs of a round that failed one by one, and before them those of the round that seemed to go well. */
  private async singledOut(before: Round, round: Round): Promise<Round> {
    const programs = [...before.programs, ...round.programs];
    if (programs.length === 1 && round !== NO_ROUND) return round;
    const suspect = round.answers.find(hasFailed);
    const watch = suspect === undefined || suspect.failure === 'subject-garbage' ? CLOSE_WATCH : 0;
    const seen = programs.map(({ program }) => this.history.momentOf(program));
    const answers: Answer[] = [];
    for (const waiting of programs) answers.push((await this.ask([waiting], watch)).answers[0]);
    // If it does not show again, it was chance, or something that the command remembered from an earlier program.
    if (suspect !== undefined && !answers.some(hasFailed)) {
      const index = before.programs.length + round.answers.indexOf(suspect);
      answers[index] = suspect;
      this.history.restore(programs[index].program, seen[index]);
    }
    return { programs, answers, isGood: false };
  }

  /** `watch`: milliseconds for which the output is watched after the answers. */
  private async ask(programs: readonly Waiting[], watch: number): Promise<Round> {
    try {
      if (this.closes > 0) throw this.closed();
      return await this.send(programs, (this.ready ??= await this.begin()), watch);
    } catch (error) {
      if (!(error instanceof NotIntroduced)) throw error;
      return { programs, answers: [error.answer], isGood: false };
    }
  }

  seenBefore(program: Program): readonly Program[] {
    return this.history.before(program);
  }

  private async send(programs: readonly Waiting[], { life, capabilities }: Introduced, watch: number): Promise<Round> {
    if (this.heard !== life) await life.listen();
    const message = this.messageOf(programs, capabilities);
    const reply = await life.ask({ message, count: programs.length, timeout: this.caseTimeout });
    const broken = reply.broken ?? (await life.listen(watch));
    this.heard = life;
    const answers = reply.answers
      .slice(0, programs.length)
      .map((answer, index) => this.read(answer, programs[index].program, capabilities));
    if (broken !== undefined && broken.kind !== 'too-much') {
      const unanswered = Math.min(answers.length, programs.length - 1);
      answers[unanswered] = this.failureOf(broken, life, programs[unanswered].program);
    }
    for (let index = 0; index < answers.length; index++) this.history.add(programs[index].program);
    if (broken === undefined && !answers.some(hasFailed)) return { programs, answers, isGood: true };
    if (this.ready?.life === life) this.introduced = this.ready = undefined;
    await life.kill();
    return { programs, answers, isGood: false };
  }

  private messageOf(programs: readonly Waiting[], { encoding }: Capabilities): string | Uint8Array {
    if (encoding === 'json') return programs.map(({ program }) => `${formatProgram(program)}\n`).join('');
    for (const { program } of programs) this.writer.add(program);
    return this.writer.take();
  }

  private read(answer: Buffer, program: Program, capabilities: Capabilities): Answer {
    if (capabilities.encoding === 'json' && !isUtf8(answer)) {
      return failedAnswer('subject-garbage', 'a line that is not UTF-8');
    }
    try {
      return { kind: 'trace', trace: this.traceOf(answer, program, capabilities) };
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      return failedAnswer('subject-garbage', error.message);
    }
  }

  private traceOf(answer: Buffer, program: Program, capabilities: Capabilities): Trace {
    if (capabilities.encoding === 'json') return parseTrace(answer, 'answer', program, capabilities);
    this.reader ??= new TraceReader(capabilities, 'answer');
    return this.reader.trace(wordsOf(answer), program);
  }

  private closed(): Error {
    return new Error(`${this.name} was closed before it answered`);
  }

  private failureOf(broken: Exclude<Break, { kind: 'too-much' }>, life: Life, program: Program): Answer {
    switch (broken.kind) {
      case 'unasked':
        return failedAnswer('subject-garbage', 'output beside the one line that answers a program');
      case 'too-long':
        return failedAnswer('subject-garbage', broken.problem);
      case 'late':
        return { ...failedAnswer('subject-timeout', `no answer within ${this.caseTimeout} ms`), mayBeChance: true };
      case 'gone':
        return {
          ...processCrash(broken.how, life.standardError, breadcrumb(life.standardError, program)),
          mayBeChance: broken.isFromOutside,
        };
      case 'closed':
        throw this.closed();
      default:
        return broken satisfies never;
    }
  }

  async close(): Promise<FailedEnd | undefined> {
    this.closes++;
    const failed = await this.end();
    await this.serving;
    this.ready = undefined;
    this.closes--;
    return failed;
  }

  private async end(): Promise<FailedEnd | undefined> {
    const { introduced, spawned } = this;
    this.introduced = this.ready = undefined;
    // One that starts is not waited for.
    const life = await spawned?.catch(() => undefined);
    const how = await life?.end();
    // If it could not be started, its caller has received the error.
    const begun = await introduced?.catch(() => undefined);
    await begun?.life.end();
    if (how === undefined) return undefined;
    return { answer: processCrash(how, life!.standardError, END_OF_INPUT), seen: this.history.all() };
  }

  /** The current life, or a new one. Callers that come while it starts share it. */
  private begin(): Promise<Introduced> {
    if (this.introduced !== undefined) return this.introduced;
    const begun = this.introduce();
    this.introduced = begun;
    begun.catch(() => {
      if (this.introduced === begun) this.introduced = undefined;
    });
    return begun;
  }

  private async introduce(): Promise<Introduced> {
    const { known, name, where } = this;
    const begin = (): Promise<Life> => (this.spawned = this.spawn());
    const options = { name, where, timeout: this.startTimeout, begin };
    const introduced = await (known === undefined ? introduce(options) : reintroduce(options, known));
    this.history.begin();
    this.known = introduced.capabilities;
    return introduced;
  }

  private async spawn(): Promise<Life> {
    const [command, ...args] = this.argv as [string, ...string[]];
    // Loaded on demand: most runs have no external subject.
    const { beginLife } = await import('./command-life.js');
    try {
      return await beginLife(command, args);
    } catch (error) {
      const why = whyNotStarted(error);
      throw new BadInput(
        this.where,
        `cannot start ${quoted(command)}: ${why}; check its path, and that it is executable`,
      );
    }
  }
}

const argumentsOf = (command: string, where: string): readonly string[] => {
  const words = parseArgsStringToArgv(command);
  if (words.length === 0 || words[0] === '') {
    throw new BadInput(where, 'the command after "exec:" is empty; write exec:COMMAND, such as exec:./my-subject');
  }
  if (/["']/.test(command.replace(/"[^"]*"|'[^']*'/g, ''))) {
    throw new BadInput(
      where,
      `a quote is not closed in ${quoted(command)}; close it, or put it between the other quotes`,
    );
  }
  return words;
};

/** What to do about a command that did not come to its first answer. */
const START_REMEDIES: Readonly<Record<SubjectFailure, string>> = {
  'subject-crash': 'run it by hand to see why',
  'subject-timeout': 'let it flush every answer, or give it more --start-timeout',
  'subject-garbage': 'let it give the same answer at every start',
};

const hasFailed = (answer: Answer): answer is Extract<Answer, { kind: 'failed' }> => answer.kind === 'failed';

/** A message as words, in place if it is aligned. */
const wordsOf = ({ buffer, byteOffset, length }: Buffer): Uint32Array =>
  byteOffset % 4 === 0
    ? new Uint32Array(buffer, byteOffset, length / 4)
    : new Uint32Array(buffer.slice(byteOffset, byteOffset + length));

const whyNotStarted = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such command' : whyFailed(error);
};
