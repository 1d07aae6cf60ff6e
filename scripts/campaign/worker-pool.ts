/** Workers in processes of their own: one that hangs, runs out of memory or dies does not take the run along. */

import { existsSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tinypool } from 'tinypool';
import type { Failure } from '../../properties/campaign/events.js';
import { BadInput } from '../../properties/formats/index.js';
import type { Outcome, WorkerOptions, WorkerPool } from '../terminal/surroundings.js';

/** How long a process may take to start on a busy machine, in milliseconds. */
const START = 60_000;
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
}

export class ProcessPool implements WorkerPool {
  private readonly pool: Tinypool;
  private readonly log: string;
  private readonly keepsLog: boolean;

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
    // A worker that dies without a task is replaced when the next task comes.
    this.pool.on('error', () => undefined);
  }

  async run(task: unknown, patience: number, signal: AbortSignal): Promise<Outcome> {
    const watch = new Watch(patience, signal);
    try {
      const { channel } = watch;
      const result: unknown = await this.pool.run(task, { signal: watch.signal, channel });
      return { kind: 'done', result };
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' };
      return { kind: 'failed', ...this.failureOf(error, watch), program: watch.program };
    } finally {
      watch.end();
    }
  }

  async end(): Promise<void> {
    await this.pool.destroy();
    if (!existsSync(this.log)) return;
    if (!this.keepsLog || statSync(this.log).size === 0) rmSync(this.log);
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
class Watch {
  program: number | undefined = undefined;
  /** No sign of life came in time. */
  late = false;
  readonly patience: number;
  readonly channel = { postMessage: (message: SignOfLife): void => this.hear(message) };
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal;
  private timer: NodeJS.Timeout;

  constructor(patience: number, outer: AbortSignal) {
    this.patience = patience;
    this.outer = outer;
    this.timer = setTimeout(this.expire, START);
    outer.addEventListener('abort', this.abort, { once: true });
    if (outer.aborted) this.abort();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  end(): void {
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.abort);
  }

  private hear({ program }: SignOfLife): void {
    this.program = program ?? this.program;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.expire, this.patience);
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
