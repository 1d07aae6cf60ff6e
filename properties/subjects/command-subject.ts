/**
 * An external subject: a command that reads one program per line and answers one trace per line (formats.md, Subject protocol). Every other
 * behaviour is a failure of its own class, after which the command is restarted.
 */

import { isUtf8 } from 'node:buffer';
import { parseArgsStringToArgv } from 'string-argv';
import { BadInput, formatProgram, parseTrace, quoted } from '../formats/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import type { SubjectFailure } from '../divergence.js';
import type { Event, Life } from './command-life.js';
import type { Capabilities } from './capabilities.js';
import { versionOne } from './capabilities.js';
import type { Answer, ExternalSubject } from './subject.js';

/** The longest delay of a Node timer, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

export class CommandSubject implements ExternalSubject {
  readonly kind = 'external';
  readonly name: string;
  private readonly argv: readonly string[];
  private readonly where: string;
  private readonly timeout: number;
  private life: Promise<Life> | undefined = undefined;

  /**
   * @param command - words separated by blanks; quotes of either kind hold a word together. There is no shell, so nothing else is special
   * @param where - the option that the command came from, for messages
   * @param timeout - milliseconds for one program, at least 1; the first includes the command's start
   * @throws BadInput if the command line is empty or a quote is not closed
   */
  constructor(command: string, where: string, timeout: number) {
    this.name = `exec:${command}`;
    this.argv = wordsOf(command, where);
    this.where = where;
    this.timeout = Math.min(timeout, LONGEST_TIMER);
  }

  async start(): Promise<Capabilities> {
    await this.begin();
    return versionOne(this.name);
  }

  /** Rejects with `BadInput` if the command cannot be started, and with an `Error` if it is closed or called again before it has answered. */
  async answer(program: Program): Promise<Answer> {
    const begun = this.begin();
    const life = await begun;
    const event = await life.ask(formatProgram(program), this.timeout);
    const answer = this.read(event, program, life);
    if (answer.kind === 'failed') {
      if (this.life === begun) this.life = undefined;
      await life.kill();
    }
    return answer;
  }

  async close(): Promise<void> {
    const begun = this.life;
    this.life = undefined;
    // If it could not be started, its caller has received the error.
    const life = await begun?.catch(() => undefined);
    await life?.end();
  }

  /** The current life, or a new one. Callers that come while it starts share it. */
  private begin(): Promise<Life> {
    return (this.life ??= this.launch());
  }

  private async launch(): Promise<Life> {
    const [command, ...args] = this.argv as [string, ...string[]];
    // Loaded on demand: most runs have no external subject.
    const { beginLife } = await import('./command-life.js');
    try {
      return await beginLife(command, args);
    } catch (error) {
      this.life = undefined;
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
        return readLine(event.line, program);
      case 'unasked':
        return failed('subject-garbage', 'output beside the one line that answers a program');
      case 'too-long':
        return failed('subject-garbage', `a line longer than ${event.most} bytes`);
      case 'late':
        return failed('subject-timeout', `no answer within ${this.timeout} ms`);
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

const failed = (failure: SubjectFailure, detail: string): Answer => ({ kind: 'failed', failure, detail });

const readLine = (line: Buffer, program: Program): Answer => {
  if (!isUtf8(line)) return failed('subject-garbage', 'a line that is not UTF-8');
  try {
    return { kind: 'trace', trace: parseTrace(line.toString('utf8'), 'answer', program) };
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return failed('subject-garbage', error.message);
  }
};

const whyNotStarted = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such command';
  return code === 'EACCES' ? 'permission denied' : message;
};
