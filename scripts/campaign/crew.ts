/** The workers of a run: processes of their own, so that one that hangs, runs out of memory or dies takes nobody along. */

import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { Tinypool } from 'tinypool';
import { BadInput } from '../../properties/formats/index.js';
import type { Failure } from '../../properties/campaign/event.js';
import type { Results, TaskKind, TaskOf } from './tasks.js';

/** How a task ended. */
export type Outcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  /** The worker is gone and another one stands in its place. `program`: the last one that it was heard to begin. */
  | { readonly kind: 'failed'; readonly how: Failure; readonly detail: string; readonly program: number | undefined }
  | { readonly kind: 'aborted' };

export interface Crew {
  /**
   * Has a worker do a task. `patience`: milliseconds without a sign of life after which it counts as hung. At most as many
   * tasks at a time as there are workers. Throws `BadInput` if the worker did.
   */
  run<Kind extends TaskKind>(
    task: TaskOf<Kind>,
    patience: number,
    signal: AbortSignal,
  ): Promise<Outcome<Results[Kind]>>;
  /** Ends all workers. */
  end(): Promise<void>;
}

export interface CrewOptions {
  readonly jobs: number;
  /** A file in which workers leave their last words. */
  readonly log: string;
}

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

/** How long a process may take to start on a busy machine, in milliseconds. */
const START = 60_000;
/** Bytes of last words that are looked at. */
const LAST_WORDS = 64 * 1024;

export class ProcessCrew implements Crew {
  private readonly pool: Tinypool;
  private readonly log: string;

  constructor({ module, heap }: WorkerSettings, { jobs, log }: CrewOptions) {
    this.log = log;
    this.pool = new Tinypool({
      runtime: 'child_process',
      filename: module.href,
      minThreads: jobs,
      maxThreads: jobs,
      execArgv: [`--max-old-space-size=${heap}`],
      env: definedOnly(process.env),
      argv: [log],
    });
    // One that dies without a task is replaced when the next task comes.
    this.pool.on('error', () => undefined);
  }

  async run<Kind extends TaskKind>(
    task: TaskOf<Kind>,
    patience: number,
    signal: AbortSignal,
  ): Promise<Outcome<Results[Kind]>> {
    const watch = new Watch(patience, signal);
    try {
      const { channel } = watch;
      const result: unknown = await this.pool.run(task, { signal: watch.signal, channel });
      return { kind: 'done', result: result as Results[Kind] };
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' };
      return { kind: 'failed', ...this.failureOf(error, watch), program: watch.program };
    } finally {
      watch.end();
    }
  }

  async end(): Promise<void> {
    await this.pool.destroy();
  }

  private failureOf(error: unknown, watch: Watch): { readonly how: Failure; readonly detail: string } {
    if (watch.late) return { how: 'hung', detail: `no sign of life in ${watch.patience} ms` };
    const { name, message } = error as Error;
    // What a worker throws comes as plain data; what the pool throws is an Error.
    if (!(error instanceof Error)) {
      if (name === 'BadInput') throw badInputOf(message);
      return { how: 'threw', detail: `${name}: ${message}` };
    }
    return this.ranOutOfMemory()
      ? { how: 'ran out of memory', detail: 'its heap was full' }
      : { how: 'died', detail: 'its process ended' };
  }

  /** V8 says so before it gives up. What is read is taken away, so that the next death is not explained by it. */
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
  /** None came in time. */
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
