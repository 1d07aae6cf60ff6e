/** Workers in processes of their own: one that hangs, runs out of memory or dies does not take the run along. */

import { existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tinypool } from 'tinypool';
import type { Failure } from '../../properties/campaign/events.js';
import { BadInput } from '../../properties/formats/index.js';
import { FROM_OUTSIDE } from '../../properties/subjects/command-life.js';
import { EXIT } from '../terminal/exit-codes.js';
import type { Outcome, WorkerOptions, WorkerPool } from '../terminal/surroundings.js';

/** How long a process may take to start on a busy machine, in milliseconds. */
const START = 60_000;
/** Milliseconds before a worker that ended while it started is replaced. */
const RESPITE = 100;
/** Bytes at the end of a worker's standard error that are searched. */
const LAST_WORDS = 64 * 1024;

export interface WorkerSettings {
  /** The module that runs in each worker. */
  readonly module: URL;
  /** What the heap of one may grow to, in MiB. */
  readonly heap: number;
}

/** What a worker sends while it works. */
export interface SignOfLife {
  /** The program that comes next. */
  readonly program?: number;
  /** Steps of the program that is being shrunk. */
  readonly steps?: number;
  /** Milliseconds by which the next sign may be late. */
  readonly late?: number;
}

export class ProcessPool implements WorkerPool {
  private readonly pool: Tinypool;
  private readonly log: string;
  private readonly keepsLog: boolean;
  private readonly known = new WeakSet<object>();
  /** Of the worker that ended last. Its task is rejected before another worker can end. */
  private last: { readonly code: number | null; readonly signal: string | null } | undefined = undefined;

  constructor({ module, heap }: WorkerSettings, { jobs, log }: WorkerOptions) {
    this.log = log ?? join(tmpdir(), `shadowdiff-${process.pid}.log`);
    this.keepsLog = log !== undefined;
    this.pool = new Tinypool({
      runtime: 'child_process',
      filename: module.href,
      minThreads: jobs,
      maxThreads: jobs,
      execArgv: [`--max-old-space-size=${heap}`],
      env: definedOnly(process.env),
      argv: [this.log],
    });
    this.pool.on('error', () => setTimeout(() => this.serveQueue(), RESPITE));
    this.attend();
  }

  async run(task: unknown, patience: number, signal: AbortSignal, onSteps?: (steps: number) => void): Promise<Outcome> {
    const watch = new Watch(patience, signal, onSteps);
    try {
      const { channel } = watch;
      const running: Promise<unknown> = this.pool.run(task, { signal: watch.signal, channel });
      this.attend();
      return { kind: 'done', result: await running };
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' };
      if (this.isAccident(error, watch)) return { kind: 'killed' };
      return { kind: 'failed', ...this.failureOf(error, watch), program: watch.program };
    } finally {
      watch.end();
      this.attend();
    }
  }

  async end(): Promise<void> {
    await this.pool.destroy();
    if (!existsSync(this.log)) return;
    // It stays in a directory that became read-only.
    if (!this.keepsLog || statSync(this.log).size === 0) await rm(this.log).catch(() => undefined);
  }

  /** A worker ended while it started. The pool replaces it only when the next task comes, which those that wait may prevent. */
  private serveQueue(): void {
    if (this.pool.queueSize === 0) return;
    const controller = new AbortController();
    this.pool.run(undefined, { signal: controller.signal }).catch(() => undefined);
    controller.abort();
    this.attend();
  }

  /** Learns how each worker ends, which the pool does not report. */
  private attend(): void {
    for (const worker of this.pool.threads) {
      if (this.known.has(worker)) continue;
      this.known.add(worker);
      worker.once('exit', (code: number | null, signal: string | null) => (this.last = { code, signal }));
    }
  }

  private isAccident(error: unknown, watch: Watch): boolean {
    if (watch.late) return !watch.begun;
    if (!(error instanceof Error)) return false;
    // The task could not be sent: the worker had just ended.
    if ('code' in error) return true;
    return this.last?.code === EXIT.interrupted || FROM_OUTSIDE.has(this.last?.signal);
  }

  private failureOf(error: unknown, watch: Watch): { readonly how: Failure; readonly detail: string } {
    if (watch.late) return { how: 'hung', detail: `no sign of life in ${watch.patience} ms` };
    const { name, message } = error as Error;
    // What a worker throws arrives as plain data; what the pool throws is an Error.
    if (!(error instanceof Error)) {
      if (name === 'BadInput') throw badInputOf(message);
      return { how: 'threw', detail: `${name}: ${message}` };
    }
    return this.ranOutOfMemory()
      ? { how: 'ran out of memory', detail: 'its heap was full' }
      : { how: 'died', detail: 'its process ended' };
  }

  /** V8 reports it before it aborts. What is read is removed, so that it does not explain the next death as well. */
  private ranOutOfMemory(): boolean {
    if (!existsSync(this.log)) return false;
    const words = readFileSync(this.log).subarray(-LAST_WORDS).toString('utf8');
    truncateSync(this.log);
    return words.includes('heap out of memory');
  }
}

/** Waits for signs of life while a task is done. */
export class Watch {
  program: number | undefined = undefined;
  /** A sign of life came. */
  begun = false;
  /** No sign of life came in time. */
  late = false;
  readonly patience: number;
  readonly channel = { postMessage: (message: SignOfLife): void => this.hear(message) };
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal;
  private readonly onSteps: ((steps: number) => void) | undefined;
  private timer: NodeJS.Timeout;
  private ended = false;

  constructor(patience: number, outer: AbortSignal, onSteps?: (steps: number) => void) {
    this.patience = patience;
    this.outer = outer;
    this.onSteps = onSteps;
    this.timer = setTimeout(this.expire, START);
    outer.addEventListener('abort', this.abort, { once: true });
    if (outer.aborted) this.abort();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.abort);
  }

  private hear({ program, steps, late = 0 }: SignOfLife): void {
    // A worker that is being aborted may still send one, and a timer would keep this process alive.
    if (this.ended) return;
    this.program = program ?? this.program;
    this.begun = true;
    if (steps !== undefined) this.onSteps?.(steps);
    clearTimeout(this.timer);
    this.timer = setTimeout(this.expire, this.patience + late);
  }

  private readonly expire = (): void => {
    this.late = true;
    this.abort();
  };

  private readonly abort = (): void => this.controller.abort();
}

const badInputOf = (message: string): BadInput => {
  const [source, ...text] = message.split(': ') as [string, ...string[]];
  return new BadInput(source, text.join(': '));
};

const definedOnly = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
