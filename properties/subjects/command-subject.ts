/**
 * A subject outside the process: a command that reads one program a line and answers one trace a line (formats.md, Subject
 * protocol). Whatever it does instead is an answer of its own class, and it is started afresh for the next program.
 */

import { isUtf8 } from 'node:buffer';
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { parseArgsStringToArgv } from 'string-argv';
import { BadInput, formatProgram, parseTrace, quoted } from '../../model/format/index.js';
import type { Program } from '../../model/vocabulary/index.js';
import type { SubjectFailure } from '../divergence.js';
import type { Answer, ExternalSubject } from './subject.js';

/** A line of more bytes than this is no trace: the longest programs are answered with far less. */
const LONGEST_LINE = 64 * 2 ** 20;
/** Bytes at the end of standard error that are kept for the report of a crash, and characters of them that are shown. */
const STDERR_KEPT = 2000;
const STDERR_SHOWN = 200;
/** How long an idle command may take to leave once its input has ended, in milliseconds. */
const FAREWELL = 500;
/** How long its pipes may stay open when it is gone, held by a process that it started, in milliseconds. */
const AFTERMATH = 250;
/** The longest time that a timer of Node can wait, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

const NEWLINE = 0x0a;

/** What happened first when an answer was awaited. */
type Event =
  | { readonly kind: 'line'; readonly line: Buffer }
  | { readonly kind: 'unasked' }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'late' }
  | { readonly kind: 'gone'; readonly how: string }
  /** We ended it ourselves: it failed in nothing. */
  | { readonly kind: 'closed' };

export class CommandSubject implements ExternalSubject {
  readonly kind = 'external';
  readonly name: string;
  private readonly argv: readonly string[];
  private readonly where: string;
  private readonly timeout: number;
  private life: Promise<Life> | undefined = undefined;

  /**
   * @param command - words parted by blanks; quotes of either kind hold a word together. No shell runs: nothing else is special
   * @param where - names the option that the command came from, in messages
   * @param timeout - milliseconds that it may take for one program, its start included for the first one; at least 1
   * @throws BadInput if the command line is empty or a quote is not closed
   */
  constructor(command: string, where: string, timeout: number) {
    this.name = `exec:${command}`;
    this.argv = wordsOf(command, where);
    this.where = where;
    this.timeout = Math.min(timeout, LONGEST_TIMER);
  }

  async start(): Promise<void> {
    await this.begin();
  }

  /**
   * Rejects with `BadInput` if the command cannot be started, and with an `Error` if it is closed before it answered, or asked
   * again.
   */
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
    // One that could not be started was told of to whoever started it.
    const life = await begun?.catch(() => undefined);
    await life?.end();
  }

  /** The life that goes on, or a new one. Whoever comes while it begins shares it. */
  private begin(): Promise<Life> {
    return (this.life ??= this.launch());
  }

  private async launch(): Promise<Life> {
    const [command, ...args] = this.argv as [string, ...string[]];
    try {
      // A group of its own: Ctrl-C is for us alone, and a time-out ends whatever the command started.
      const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
      await spawned(child);
      return new Life(child);
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
        return failed('subject-garbage', `a line longer than ${LONGEST_LINE} bytes`);
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

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const spawned = (child: Child): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.off('error', reject);
      resolve();
    });
  });

const whyNotStarted = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such command';
  return code === 'EACCES' ? 'permission denied' : message;
};

/** Lives that go on; when this process exits, a command that hangs would not notice the end of its input. */
const going = new Set<Life>();

const killAll = (): void => {
  for (const life of going) life.signal();
};

/** One life of the command, from its start to its end. */
class Life {
  private readonly child: Child;
  /** Pieces of the line that is not finished yet, and their bytes. */
  private pieces: Buffer[] = [];
  private bytes = 0;
  private stderr = '';
  /** Whoever awaits an answer. */
  private waiting: ((event: Event) => void) | undefined = undefined;
  /** Why it answers no more. The first reason stands: what follows from it is of no interest. */
  private over: Event | undefined = undefined;
  /** Its process and its pipes are gone. */
  private isGone = false;
  private readonly gone: Promise<void>;
  private tellGone: () => void = () => undefined;

  constructor(child: Child) {
    this.child = child;
    this.gone = new Promise((resolve) => (this.tellGone = resolve));
    child.stdout.on('data', (chunk: Buffer) => this.take(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
    });
    // A command that is gone cannot be written to; that it is gone is told below.
    child.stdin.on('error', () => undefined);
    child.on('error', () => undefined);
    child.once('exit', () => {
      // What it leaves behind may hold the pipes, and then 'close' never comes.
      this.signal();
      setTimeout(() => this.leave(), AFTERMATH).unref();
    });
    child.once('close', () => this.leave());
    // An idle command keeps nobody from exiting; while an answer is awaited the timer does.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
    if (going.size === 0) process.on('exit', killAll);
    going.add(this);
  }

  /** Sends a line and awaits whatever comes first. */
  async ask(line: string, timeout: number): Promise<Event> {
    // What it said unasked must not pass for this answer. One turn only ends the round of events that we are in;
    // the second one comes after all that is in the pipe was read.
    await turn();
    await turn();
    if (this.over !== undefined) return this.over;
    if (this.waiting !== undefined) throw new Error('the command was asked again before it answered');
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.expire(settle), timeout);
      const settle = (event: Event): void => {
        clearTimeout(timer);
        this.waiting = undefined;
        resolve(event);
      };
      this.waiting = settle;
      this.child.stdin.write(`${line}\n`);
    });
  }

  /** The last line that it wrote on standard error, for the end of a sentence. */
  lastWords(): string {
    const words = this.stderr.trim().split('\n').at(-1)!;
    return words === '' ? '' : `; its last words: ${quoted(words, STDERR_SHOWN)}`;
  }

  /** An idle command gets the end of its input and a while to leave, so that it may write down what it has gathered. */
  async end(): Promise<void> {
    if (this.waiting === undefined && this.over === undefined) {
      this.over = { kind: 'closed' };
      this.child.stdin.end();
      await this.goneWithin(FAREWELL);
    }
    await this.kill();
  }

  async kill(): Promise<void> {
    this.breakOff({ kind: 'closed' });
    if (this.isGone) return;
    this.signal();
    await this.goneWithin(AFTERMATH);
    this.leave();
  }

  /** Kills its group, which is there as long as anybody of it lives. */
  signal(): void {
    try {
      process.kill(-this.child.pid!, 'SIGKILL');
    } catch {
      this.child.kill('SIGKILL');
    }
  }

  private take(chunk: Buffer): void {
    if (this.over !== undefined) return;
    if (this.waiting === undefined) return this.breakOff({ kind: 'unasked' });
    const end = chunk.indexOf(NEWLINE);
    this.pieces.push(end === -1 ? chunk : chunk.subarray(0, end));
    this.bytes += this.pieces.at(-1)!.length;
    if (this.bytes > LONGEST_LINE) return this.breakOff({ kind: 'too-long' });
    if (end === -1) return;
    if (end + 1 < chunk.length) return this.breakOff({ kind: 'unasked' });
    const line = this.pieces.length === 1 ? this.pieces[0] : Buffer.concat(this.pieces);
    this.pieces = [];
    this.bytes = 0;
    this.waiting({ kind: 'line', line });
  }

  /** It answers no more: nothing that it says from now on is heard. */
  private breakOff(reason: Event): void {
    this.over ??= reason;
    this.pieces = [];
    this.child.stdout.destroy();
    this.waiting?.(this.over);
  }

  /** The answer may lie in the pipe, if it was we who had no time to look; by the next turn it is read. */
  private expire(settle: (event: Event) => void): void {
    setImmediate(() => {
      if (this.waiting !== settle) return;
      const { exitCode, signalCode } = this.child;
      this.breakOff(exitCode === null && signalCode === null ? { kind: 'late' } : this.departure());
    });
  }

  private departure(): Event {
    const { exitCode, signalCode } = this.child;
    return { kind: 'gone', how: signalCode === null ? `exited with code ${exitCode}` : `killed by ${signalCode}` };
  }

  private leave(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.breakOff(this.departure());
    for (const pipe of [this.child.stdin, this.child.stdout, this.child.stderr]) pipe.destroy();
    going.delete(this);
    if (going.size === 0) process.off('exit', killAll);
    this.tellGone();
  }

  private async goneWithin(most: number): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([this.gone, sleep(most, undefined, waiting).catch(() => undefined)]);
    waiting.abort();
  }
}
