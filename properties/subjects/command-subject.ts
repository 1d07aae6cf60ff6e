/**
 * A subject outside the process: a command that reads one program a line and answers one trace a line (formats.md, Subject
 * protocol). Whatever it does instead is an answer of its own class, and it is started afresh for the next program.
 */

import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { parseArgsStringToArgv } from 'string-argv';
import { BadInput, formatProgram, parseTrace } from '../../model/format/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import type { SubjectFailure } from '../divergence.js';
import type { Answer, ExternalSubject } from './subject.js';

/** A line longer than this is no trace: the longest program that formats.md allows answers with less. */
const LONGEST_LINE = 64 * 2 ** 20;
const STDERR_KEPT = 2000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** What happened first while an answer was awaited. */
type Event =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'gone'; readonly how: string }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'late' };

export class CommandSubject implements ExternalSubject {
  readonly kind = 'external';
  readonly name: string;
  private readonly argv: readonly string[];
  private readonly where: string;
  private readonly timeout: number;
  private running: Running | undefined = undefined;

  /** `command`: a command line, split as a shell splits words; no shell runs. `timeout`: milliseconds for one program. */
  constructor(command: string, where: string, timeout: number) {
    this.name = `exec:${command}`;
    this.argv = parseArgsStringToArgv(command);
    this.where = where;
    this.timeout = timeout;
    if (this.argv.length === 0) {
      throw new BadInput(where, 'the command after "exec:" is empty; write exec:COMMAND, such as exec:./my-subject');
    }
  }

  async start(): Promise<void> {
    this.running ??= await this.launch();
  }

  async answer(program: Program): Promise<Answer> {
    await this.start();
    const running = this.running!;
    const event = await running.ask(formatProgram(program), this.timeout);
    const answer = this.read(event, program, running);
    if (answer.kind === 'failed') await this.close();
    return answer;
  }

  async close(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    await running?.end();
  }

  private read(event: Event, program: Program, running: Running): Answer {
    switch (event.kind) {
      case 'gone':
        return failed('subject-crash', `${event.how}${running.lastWords()}`);
      case 'late':
        return failed('subject-timeout', `no answer within ${this.timeout} ms`);
      case 'too-long':
        return failed('subject-garbage', `a line longer than ${LONGEST_LINE} bytes`);
      case 'line':
        return this.readLine(event.line, program);
      default:
        return event satisfies never;
    }
  }

  private readLine(line: string, program: Program): Answer {
    try {
      return { kind: 'trace', trace: parseTrace(line, 'answer', program) };
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      return failed('subject-garbage', error.message);
    }
  }

  private async launch(): Promise<Running> {
    const [command, ...args] = this.argv as [string, ...string[]];
    // A group of its own: Ctrl-C is for us alone, and a time-out can end whatever the command started.
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'ENOENT' ? 'there is no such command' : error.message;
        reject(
          new BadInput(this.where, `cannot start "${command}": ${why}; check the path and that it may be executed`),
        );
      });
    });
    return new Running(child);
  }
}

const failed = (failure: SubjectFailure, detail: string): Answer => ({ kind: 'failed', failure, detail });

/** One life of the command. */
class Running {
  private readonly child: Child;
  private partial: string[] = [];
  private partialLength = 0;
  private readonly lines: string[] = [];
  private stderr = '';
  private gone: Event | undefined = undefined;
  private tooLong = false;
  private wake: () => void = () => undefined;

  constructor(child: Child) {
    this.child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.take(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
    });
    // A command that is gone cannot be written to; that it is gone is what 'close' tells.
    child.stdin.on('error', () => undefined);
    child.on('close', (code, signal) => {
      this.gone = { kind: 'gone', how: signal === null ? `exited with code ${code ?? 0}` : `killed by ${signal}` };
      this.wake();
    });
  }

  /** Sends a line and awaits whatever comes first. */
  async ask(line: string, timeout: number): Promise<Event> {
    if (this.gone === undefined) this.child.stdin.write(`${line}\n`);
    const deadline = performance.now() + timeout;
    for (;;) {
      const answer = this.lines.shift();
      if (answer !== undefined) return { kind: 'line', line: answer };
      if (this.tooLong) return { kind: 'too-long' };
      if (this.gone !== undefined) return this.gone;
      const left = deadline - performance.now();
      if (left <= 0) return { kind: 'late' };
      await this.somethingHappens(left);
    }
  }

  lastWords(): string {
    const words = this.stderr.trim();
    return words === '' ? '' : `; its last words: ${words.split('\n').at(-1)!.slice(0, 200)}`;
  }

  async end(): Promise<void> {
    if (this.gone !== undefined) return;
    const closed = new Promise<void>((resolve) => this.child.once('close', () => resolve()));
    try {
      process.kill(-this.child.pid!, 'SIGKILL');
    } catch {
      // It ended by itself in between.
    }
    await closed;
  }

  private somethingHappens(most: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, most);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private take(text: string): void {
    const pieces = text.split('\n');
    for (const [index, piece] of pieces.entries()) {
      this.partial.push(piece);
      this.partialLength += piece.length;
      if (index < pieces.length - 1) this.endLine();
    }
    if (this.partialLength > LONGEST_LINE) this.tooLong = true;
    this.wake();
  }

  private endLine(): void {
    this.lines.push(this.partial.join(''));
    this.partial = [];
    this.partialLength = 0;
  }
}
