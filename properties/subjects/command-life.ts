/** One run of a command, from its start to its end. command-subject.ts interprets what it does. */

import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { MOST_STANDARD_ERROR } from '../divergence.js';
import type { Encoding } from './capabilities.js';
import { LONGEST_MESSAGE, MessageReader } from './message-reader.js';

/** How long an idle command may take to exit once its input has ended, in milliseconds: a sanitizer looks for leaks then. */
const FAREWELL = 2000;
/** How long its pipes may stay open after it exits, held by a process that it started, in milliseconds. */
const AFTERMATH = 250;

/** Signals that end a process from outside, such as that of the kernel when memory is short. A crash ends it by others: SIGABRT, SIGSEGV, SIGILL. */
export const FROM_OUTSIDE: ReadonlySet<unknown> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

/** Why no more answers come. */
export type Break =
  | { readonly kind: 'unasked' }
  /** `problem`: a clause. */
  | { readonly kind: 'too-long'; readonly problem: string }
  /** The answers to several programs are longer together than one may be. */
  | { readonly kind: 'too-much' }
  | { readonly kind: 'late' }
  /** `isFromOutside`: by a signal that a process does not send itself. */
  | { readonly kind: 'gone'; readonly how: string; readonly isFromOutside: boolean }
  /** We ended it ourselves: no failure of the command. */
  | { readonly kind: 'closed' };

/** What came of a request. */
export interface Reply {
  /** Its messages in order. There are as many as were asked for, or there is a break. */
  readonly answers: readonly Buffer[];
  readonly broken: Break | undefined;
}

export interface Request {
  /** Bytes, or ASCII text with the ends of its lines. */
  readonly message: string | Uint8Array;
  /** How many answers it wants. */
  readonly count: number;
  /** Milliseconds for each answer, from the one before it on. */
  readonly timeout: number;
  readonly reminder?: Reminder;
}

/** Text that is sent if nothing has happened after so many milliseconds. */
export interface Reminder {
  readonly after: number;
  readonly text: () => string;
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

interface Pending {
  readonly answers: Buffer[];
  readonly count: number;
  /** Begins anew with each answer. */
  readonly timer: NodeJS.Timeout;
  bytes: number;
  readonly settle: (broken: Break | undefined) => void;
}

export class Life {
  private readonly child: Child;
  private readonly messages = new MessageReader();
  /** The end of its standard error. */
  standardError = '';
  private pending: Pending | undefined = undefined;
  /** Why it no longer answers: the first reason, since others follow from it. */
  private over: Break | undefined = undefined;
  /** Its process has exited and its pipes are closed. */
  private isGone = false;
  /** It was killed, or `end` has returned how it exited. */
  private isSettled = false;
  private readonly gone: Promise<void>;
  private resolveGone: () => void = () => undefined;

  constructor(child: Child) {
    this.child = child;
    this.gone = new Promise((resolve) => (this.resolveGone = resolve));
    child.stdout.on('data', (chunk: Buffer) => this.take(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.standardError = (this.standardError + text).slice(-MOST_STANDARD_ERROR);
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

  /** How it is spoken to from now on. */
  use(encoding: Encoding): void {
    this.messages.encoding = encoding;
  }

  /**
   * Reads what is in the pipe, and returns why the command is over, if it is. Unsolicited output must not pass for the answer to the next
   * request, so this comes right before each. It waits for `milliseconds` first.
   */
  async listen(milliseconds = 0): Promise<Break | undefined> {
    if (milliseconds > 0) await sleep(milliseconds);
    // The first turn only ends the current round of events; by the end of the second, everything in the pipe has been read.
    await turn();
    await turn();
    return this.over;
  }

  /** Sends a request and waits for its answers. */
  async ask({ message, count, timeout, reminder }: Request): Promise<Reply> {
    if (this.over !== undefined) return { answers: [], broken: this.over };
    if (this.pending !== undefined) throw new Error('the command was asked again before it answered');
    return new Promise((resolve) => {
      const answers: Buffer[] = [];
      const timer = setTimeout(() => this.expire(pending), timeout);
      const remind = reminder && setTimeout(() => this.child.stdin.write(reminder.text()), reminder.after);
      const settle = (broken: Break | undefined): void => {
        clearTimeout(timer);
        clearTimeout(remind);
        this.pending = undefined;
        resolve({ answers, broken });
      };
      const pending = (this.pending = { answers, count, timer, bytes: 0, settle });
      this.child.stdin.write(message, 'latin1');
    });
  }

  /**
   * Closes an idle command's input and gives it time to exit, so that it can save its results. Returns how it exited, a clause, if that was
   * with another status than 0, even before its input ended. Returns it once, and not if the command was killed for a failure.
   */
  async end(): Promise<string | undefined> {
    if (this.pending === undefined && !this.isSettled) {
      this.isSettled = true;
      if (this.over === undefined) {
        this.over = { kind: 'closed' };
        this.child.stdin.end();
        await this.goneWithin(FAREWELL);
      }
      // One that is not gone by now is killed, and how it exits says nothing.
      if (this.isGone && this.child.exitCode !== 0) return this.departure().how;
    }
    await this.kill();
    return undefined;
  }

  async kill(): Promise<void> {
    this.isSettled = true;
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
    const { pending, messages } = this;
    if (pending === undefined) return this.breakOff({ kind: 'unasked' });
    const { answers, count } = pending;
    const before = answers.length;
    const problem = messages.read(chunk, answers);
    if (problem !== undefined) return this.breakOff({ kind: 'too-long', problem });
    pending.bytes += chunk.length;
    if (pending.bytes > LONGEST_MESSAGE && count > 1) return this.breakOff({ kind: 'too-much' });
    if (answers.length > before) pending.timer.refresh();
    if (answers.length < count) return;
    if (answers.length > count || messages.isInside) return this.breakOff({ kind: 'unasked' });
    pending.settle(undefined);
  }

  /** Ends the conversation: later output is ignored. */
  private breakOff(reason: Break): void {
    this.over ??= reason;
    this.child.stdout.destroy();
    this.pending?.settle(this.over);
  }

  /** If this process was too busy to look, the answer may be in the pipe; by the next turn it has been read. */
  private expire(pending: Pending): void {
    const { length } = pending.answers;
    setImmediate(() => {
      if (this.pending !== pending || pending.answers.length > length) return;
      const { exitCode, signalCode } = this.child;
      this.breakOff(exitCode === null && signalCode === null ? { kind: 'late' } : this.departure());
    });
  }

  private departure(): Extract<Break, { kind: 'gone' }> {
    const { exitCode, signalCode } = this.child;
    const how = signalCode === null ? `exited with code ${exitCode}` : `killed by ${signalCode}`;
    return { kind: 'gone', how, isFromOutside: FROM_OUTSIDE.has(signalCode) };
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
