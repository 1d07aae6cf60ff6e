import { randomBytes } from 'node:crypto';
import { workerModule } from '../own-package.js';
import { EXIT } from '../terminal/exit-codes.js';
import type { WorkerSettings } from '../campaign/crew.js';
import type { Surroundings } from '../terminal/surroundings.js';

/** Ctrl-C, the end of a job, and a terminal that was closed. */
const INTERRUPTING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** npm and the terminal both pass Ctrl-C on: what comes this soon after (milliseconds) is the same one. */
const SAME_INTERRUPTION = 100;
const SEED_BYTES = 4;
/** Far more than a worker needs, so that only one that has gone wrong gets there. */
const WORKERS: WorkerSettings = { module: workerModule(), heap: 1024 };

/** The surroundings of a real process. It is called once: it installs the signal handlers. */
export const processSurroundings = (): Surroundings => {
  const interruption = new Interruption();
  for (const signal of INTERRUPTING) process.on(signal, () => interruption.signal());
  process.stdout.on('error', (error: NodeJS.ErrnoException) => interruption.outputFailed(error));
  process.stderr.on('error', () => undefined);
  return {
    stdin: () => process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    unread: () => interruption.unread,
    env: process.env,
    monotonic: () => performance.now(),
    today: () => new Date(),
    freshSeed: () => randomBytes(SEED_BYTES).toString('hex'),
    crew: async (options) => {
      // Loaded when workers are hired: few commands have any.
      const { ProcessCrew } = await import('../campaign/crew.js');
      return new ProcessCrew(WORKERS, options);
    },
    onInterrupt: (listener) => interruption.listen(listener),
  };
};

class Interruption {
  /** Node lets process.stdout survive its errors, so it does not say so itself. */
  unread = false;
  private readonly listeners = new Set<() => void>();
  private first: number | undefined = undefined;

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The first one asks to end, the second one does not wait. */
  signal(): void {
    const now = performance.now();
    if (this.first !== undefined && now - this.first < SAME_INTERRUPTION) return;
    if (this.first !== undefined || this.listeners.size === 0) process.exit(EXIT.interrupted);
    this.first = now;
    this.tellListeners();
  }

  /** `shadowdiff … | head`, or a terminal that was closed: nobody reads on, which is no error. A full disk is one. */
  outputFailed(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE' || (error.code === 'EIO' && process.stdout.isTTY)) {
      this.unread = true;
      return this.tellListeners();
    }
    process.stderr.write(
      `shadowdiff: standard output: cannot be written: ${error.message}; free space or redirect it\n`,
    );
    process.exit(EXIT.badInput);
  }

  private tellListeners(): void {
    for (const listener of this.listeners) listener();
  }
}
