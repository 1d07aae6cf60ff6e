/**
 * An external subject: a command that reads one program per line and answers one trace per line (formats.md, Subject protocol). Every other
 * behaviour is a failure of its own class, after which the command is restarted.
 */

import { isUtf8 } from 'node:buffer';
import { parseArgsStringToArgv } from 'string-argv';
import { BadInput, formatProgram, parseTrace, quoted, whyFailed } from '../formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import type { SubjectFailure } from '../divergence.js';
import type { Event, Life } from './command-life.js';
import type { Capabilities } from './capabilities.js';
import type { Introduced } from './introduction.js';
import { versionOne } from './capabilities.js';
import { NotIntroduced, introduce, reintroduce } from './introduction.js';
import type { Answer, ExternalSubject } from './subject.js';

/** The longest delay of a Node timer, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

export interface CommandOptions {
  /** Milliseconds for one program, at least 1. */
  readonly caseTimeout: number;
  /** Milliseconds from the start of the command to its first answer, at least 1. */
  readonly startTimeout: number;
  /** What it can do, if it said so in another process. */
  readonly known?: Capabilities | undefined;
}

export class CommandSubject implements ExternalSubject {
  readonly kind = 'external';
  readonly name: string;
  private readonly argv: readonly string[];
  private readonly where: string;
  private readonly caseTimeout: number;
  private readonly startTimeout: number;
  private introduced: Promise<Introduced> | undefined = undefined;
  /** The process that was started last. */
  private spawned: Promise<Life> | undefined = undefined;
  /** Since its first start, here or in another process. */
  private known: Capabilities | undefined;

  /**
   * @param command - words separated by blanks; quotes of either kind hold a word together. There is no shell, so nothing else is special
   * @param where - the option that the command came from, for messages
   * @throws BadInput if the command line is empty or a quote is not closed
   */
  constructor(command: string, where: string, { caseTimeout, startTimeout, known }: CommandOptions) {
    this.name = `exec:${command}`;
    this.argv = wordsOf(command, where);
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
      const { failure, detail } = error;
      throw new BadInput(this.where, `cannot use ${quoted(this.argv[0])}: ${detail}; ${START_REMEDIES[failure]}`);
    }
  }

  /**
   * Rejects with `BadInput` if the command cannot be started for the first time, and with an `Error` if it is closed or called again
   * before it has answered.
   */
  async answer(program: Program): Promise<Answer> {
    await this.start();
    const begun = this.begin();
    try {
      const { life } = await begun;
      const event = await life.ask(formatProgram(program), this.caseTimeout);
      const answer = this.read(event, program, life);
      if (answer.kind === 'failed') {
        if (this.introduced === begun) this.introduced = undefined;
        await life.kill();
      }
      return answer;
    } catch (error) {
      if (error instanceof NotIntroduced) return failed(error.failure, error.detail);
      throw error;
    }
  }

  async close(): Promise<void> {
    const { introduced, spawned } = this;
    this.introduced = undefined;
    // One that starts is not waited for.
    const life = await spawned?.catch(() => undefined);
    await life?.end();
    // If it could not be started, its caller has received the error.
    const begun = await introduced?.catch(() => undefined);
    await begun?.life.end();
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

  private read(event: Event, program: Program, life: Life): Answer {
    switch (event.kind) {
      case 'line':
        return readLine(event.line, program, this.known ?? versionOne(this.name));
      case 'unasked':
        return failed('subject-garbage', 'output beside the one line that answers a program');
      case 'too-long':
        return failed('subject-garbage', `a line longer than ${event.most} bytes`);
      case 'late':
        return failed('subject-timeout', `no answer within ${this.caseTimeout} ms`);
      case 'gone':
        return failed('subject-crash', `${event.how}${life.lastWords()}`);
      case 'closed':
        throw new Error(`${this.name} was closed before it answered`);
      default:
        return event satisfies never;
    }
  }
}

const wordsOf = (command: string, where: string): readonly string[] => {
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

const failed = (failure: SubjectFailure, detail: string): Answer => ({ kind: 'failed', failure, detail });

const readLine = (line: Buffer, program: Program, capabilities: Capabilities): Answer => {
  if (!isUtf8(line)) return failed('subject-garbage', 'a line that is not UTF-8');
  try {
    return { kind: 'trace', trace: parseTrace(line.toString('utf8'), 'answer', program, capabilities) };
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return failed('subject-garbage', error.message);
  }
};

const whyNotStarted = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such command' : whyFailed(error);
};
