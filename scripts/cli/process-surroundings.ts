import { randomBytes } from 'node:crypto';
import { whyFailed } from '../../properties/formats/bad-input.js';
import { blamedOnModules } from '../../properties/subjects/module-subject.js';
import { workerModule } from '../own-package.js';
import type { ExitCode } from '../terminal/exit-codes.js';
import { EXIT } from '../terminal/exit-codes.js';
import type { WorkerSettings } from '../campaign/worker-pool.js';
import { divertOutput } from '../terminal/diverted-output.js';
import type { Surroundings } from '../terminal/surroundings.js';
import { explained } from './main.js';

/** Ctrl-C, the end of a job, and a terminal that was closed. */
const INTERRUPTING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** npm and the terminal both pass Ctrl-C on: a second signal within this many milliseconds is the same one. */
const SAME_INTERRUPTION = 100;
const SEED_BYTES = 4;
/** The heap is far more than a worker needs: only one that has gone wrong reaches it. */
const WORKERS: WorkerSettings = { module: workerModule(), heap: 1024 };

/** An error in a timer, an event or a promise. Node would exit with 1, which means that a divergence was found. */
const crash = (error: unknown): never => {
  const { lines, code } = explained(blamedOnModules(error));
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(code);
};

/** What a command ends with when it has a result. */
const RESULTS: ReadonlySet<number> = new Set([EXIT.clean, EXIT.divergence, EXIT.inconclusive]);

/** Ends the process with the code of a command. A module under test runs in this process and may end it, which must not pass for a result. */
export const endingWith = async (command: Promise<ExitCode>): Promise<void> => {
  const onExit = (code: number): void => {
    if (!RESULTS.has(code)) return;
    process.stderr.write('shadowdiff: a module ended the process before the command was done; let it throw instead\n');
    process.exitCode = EXIT.badInput;
  };
  process.on('exit', onExit);
  process.exitCode = await command;
  process.off('exit', onExit);
};

/** The surroundings of a real process. Call it once: it installs handlers of signals and of errors. */
export const processSurroundings = (): Surroundings => {
  const interruption = new Interruption();
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  // A file that reaches its size limit is an error of that write. Node ignores the signal, but not after write-file-atomic has caught it.
  process.on('SIGXFSZ', () => undefined);
  for (const signal of INTERRUPTING) process.on(signal, () => interruption.signal());
  const { stdout, stderr } = divertOutput();
  stdout.on('error', (error: NodeJS.ErrnoException) => interruption.outputFailed(error, stdout.isTTY));
  stderr.on('error', () => undefined);
  return {
    stdin: () => process.stdin,
    stdout,
    stderr,
    unread: () => interruption.unread,
    env: process.env,
    monotonic: () => performance.now(),
    today: () => new Date(),
    freshSeed: () => randomBytes(SEED_BYTES).toString('hex'),
    workers: async (options) => {
      // Loaded on demand: few commands have workers.
      const { ProcessPool } = await import('../campaign/worker-pool.js');
      return new ProcessPool(WORKERS, options);
    },
    onInterrupt: (listener) => interruption.listen(listener),
  };
};

class Interruption {
  /** Node keeps process.stdout usable after an error, so the stream itself does not show it. */
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
    this.notify();
  }

  /** `shadowdiff … | head`, or a terminal that was closed: the reader is gone, which is no error. A full disk is one. */
  outputFailed(error: NodeJS.ErrnoException, isTerminal: boolean): void {
    if (error.code === 'EPIPE' || (error.code === 'EIO' && isTerminal)) {
      this.unread = true;
      return this.notify();
    }
    process.stderr.write(
      `shadowdiff: standard output: cannot be written: ${whyFailed(error)}; free space or redirect it\n`,
    );
    process.exit(EXIT.badInput);
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }
}
