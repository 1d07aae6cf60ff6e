/** One run of a command that answers lines, from its start to its end. command-subject.ts interprets what it does. */

import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { quoted } from '../formats/index.js';

/** No trace is longer than this: even those of the longest programs are far shorter. */
const LONGEST_LINE = 64 * 2 ** 20;
/** How many characters of standard error are kept for the report of a crash, and how many of them are shown. */
const STDERR_KEPT = 2000;
const STDERR_SHOWN = 200;
/** How long an idle command may take to exit once its input has ended, in milliseconds. */
const FAREWELL = 500;
/** How long its pipes may stay open after it exits, held by a process that it started, in milliseconds. */
const AFTERMATH = 250;
const NEWLINE = 0x0a;

/** What happened first while an answer was awaited. */
export type Event =
  | { readonly kind: 'line'; readonly line: Buffer }
  /** `line`: the first line of its output, if that was whole and came after it was asked. */
  | { readonly kind: 'unasked'; readonly line?: Buffer }
  | { readonly kind: 'too-long'; readonly most: number }
  | { readonly kind: 'late' }
  | { readonly kind: 'gone'; readonly how: string }
  /** We ended it ourselves: no failure of the command. */
  | { readonly kind: 'closed' };

export interface Reminder {
  readonly after: number;
  readonly line: () => string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const spawned = (child: Child): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.off('error', reject);
      resolve();
    });
  });

/** Starts the command. Rejects with the system's error if it cannot be started. */
export const beginLife = async (command: string, args: readonly string[]): Promise<Life> => {
  // In a process group of its own, so that Ctrl-C reaches only us, and a time-out kills whatever the command started.
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  await spawned(child);
  return new Life(child);
};

/** Running commands, killed when this process exits: a hanging command would not notice the end of its input. */
const running = new Set<Life>();

const killAll = (): void => {
  for (const life of running) life.signal();
};

export class Life {
  private readonly child: Child;
  /** Pieces of the unfinished line, and their bytes. */
  private pieces: Buffer[] = [];
  private bytes = 0;
  private stderr = '';
  /** Resolves the pending `ask`. */
  private waiting: ((event: Event) => void) | undefined = undefined;
  /** Why it no longer answers: the first reason, since others follow from it. */
  private over: Event | undefined = undefined;
  /** Its process has exited and its pipes are closed. */
  private isGone = false;
  private readonly gone: Promise<void>;
  private resolveGone: () => void = () => undefined;

  constructor(child: Child) {
    this.child = child;
    this.gone = new Promise((resolve) => (this.resolveGone = resolve));
    child.stdout.on('data', (chunk: Buffer) => this.take(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
    });
    // Writing to a command that has exited fails; its exit is handled below.
    child.stdin.on('error', () => undefined);
    child.on('error', () => undefined);
    child.once('exit', () => {
      // A child of the command may hold the pipes, and then 'close' never comes.
      this.signal();
      setTimeout(() => this.leave(), AFTERMATH).unref();
    });
    child.once('close', () => this.leave());
    // An idle command does not keep this process alive; a pending answer does, by its timer.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
    if (running.size === 0) process.on('exit', killAll);
    running.add(this);
  }

  /** Sends a line and waits for the first event. `reminder`: another line, sent if nothing has happened `after` so many milliseconds. */
  async ask(line: string, timeout: number, reminder?: Reminder): Promise<Event> {
    // Earlier unsolicited output must not pass for this answer. The first turn only ends the current round of events; by the end of the
    // second, everything in the pipe has been read.
    await turn();
    await turn();
    if (this.over !== undefined) return this.over;
    if (this.waiting !== undefined) throw new Error('the command was asked again before it answered');
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.expire(settle), timeout);
      const remind = reminder && setTimeout(() => this.child.stdin.write(`${reminder.line()}\n`), reminder.after);
      const settle = (event: Event): void => {
        clearTimeout(timer);
        clearTimeout(remind);
        this.waiting = undefined;
        resolve(event);
      };
      this.waiting = settle;
      this.child.stdin.write(`${line}\n`);
    });
  }

  /** The last line on standard error, for the end of a sentence. */
  lastWords(): string {
    const words = this.stderr.trim().split('\n').at(-1)!;
    return words === '' ? '' : `; its last words: ${quoted(words, STDERR_SHOWN)}`;
  }

  /** Closes an idle command's input and gives it time to exit, so that it can save its results. */
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

  /** Kills its process group, which exists as long as any process in it. */
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
    if (this.bytes > LONGEST_LINE) return this.breakOff({ kind: 'too-long', most: LONGEST_LINE });
    if (end === -1) return;
    const line = this.pieces.length === 1 ? this.pieces[0] : Buffer.concat(this.pieces);
    if (end + 1 < chunk.length) return this.breakOff({ kind: 'unasked', line });
    this.pieces = [];
    this.bytes = 0;
    this.waiting({ kind: 'line', line });
  }

  /** Ends the conversation: later output is ignored. */
  private breakOff(reason: Event): void {
    this.over ??= reason;
    this.pieces = [];
    this.child.stdout.destroy();
    this.waiting?.(this.over);
  }

  /** If this process was too busy to look, the answer may be in the pipe; by the next turn it has been read. */
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
    running.delete(this);
    if (running.size === 0) process.off('exit', killAll);
    this.resolveGone();
  }

  private async goneWithin(most: number): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([this.gone, sleep(most, undefined, waiting).catch(() => undefined)]);
    waiting.abort();
  }
}
