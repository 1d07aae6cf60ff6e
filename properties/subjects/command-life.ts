/** One life of a command that answers lines, from its start to its end (command-subject.ts says what is made of it). */

import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { quoted } from '../formats/index.js';

/** A line of more bytes than this is no trace: the longest programs are answered with far less. */
const LONGEST_LINE = 64 * 2 ** 20;
/** Bytes at the end of standard error that are kept for the report of a crash, and characters of them that are shown. */
const STDERR_KEPT = 2000;
const STDERR_SHOWN = 200;
/** How long an idle command may take to leave once its input has ended, in milliseconds. */
const FAREWELL = 500;
/** How long its pipes may stay open when it is gone, held by a process that it started, in milliseconds. */
const AFTERMATH = 250;
const NEWLINE = 0x0a;

/** What happened first when an answer was awaited. */
export type Event =
  | { readonly kind: 'line'; readonly line: Buffer }
  | { readonly kind: 'unasked' }
  | { readonly kind: 'too-long'; readonly most: number }
  | { readonly kind: 'late' }
  | { readonly kind: 'gone'; readonly how: string }
  /** We ended it ourselves: it failed in nothing. */
  | { readonly kind: 'closed' };

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const spawned = (child: Child): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.off('error', reject);
      resolve();
    });
  });

/** Starts the command. Rejects with what the system says if it cannot be started. */
export const beginLife = async (command: string, args: readonly string[]): Promise<Life> => {
  // A group of its own: Ctrl-C is for us alone, and a time-out ends whatever the command started.
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  await spawned(child);
  return new Life(child);
};

/** Lives that go on; when this process exits, a command that hangs would not notice the end of its input. */
const going = new Set<Life>();

const killAll = (): void => {
  for (const life of going) life.signal();
};

/** One life of the command, from its start to its end. */
export class Life {
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
    if (this.bytes > LONGEST_LINE) return this.breakOff({ kind: 'too-long', most: LONGEST_LINE });
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
