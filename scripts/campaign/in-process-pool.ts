/**
 * Performs tasks in this process, one after the other. No time is lost on starting workers, but a machine that hangs or dies takes the run
 * along.
 */

import { BadInput } from '../../properties/formats/index.js';
import { subjectNamed } from '../../properties/subjects/subject-names.js';
import { EventLoopYield } from '../terminal/event-loop-yield.js';
import type { Outcome, Surroundings, WorkerPool } from '../terminal/surroundings.js';
import type { Task } from './tasks.js';
import { Subjects, perform } from './tasks.js';

export class InProcessPool implements WorkerPool {
  private readonly monotonic: () => number;
  private readonly eventLoop: EventLoopYield;
  private readonly subjects: Subjects;

  constructor({ monotonic, ...surroundings }: Pick<Surroundings, 'monotonic' | 'subjectNamed'>) {
    this.monotonic = monotonic;
    this.eventLoop = new EventLoopYield(monotonic);
    this.subjects = new Subjects(surroundings.subjectNamed ?? subjectNamed);
  }

  async run(
    task: unknown,
    _patience: number,
    signal: AbortSignal,
    onSteps: (steps: number) => void = () => undefined,
  ): Promise<Outcome> {
    let program: number | undefined;
    const alive = (): Promise<void> | undefined => {
      signal.throwIfAborted();
      return this.eventLoop.pause();
    };
    const begin = (next: number): Promise<void> | undefined => {
      program = next;
      return alive();
    };
    const { monotonic, subjects } = this;
    const workplace = { isWatched: false, subjects, monotonic, alive, begin, shrunkTo: onSteps };
    let closing: Promise<unknown> | undefined;
    // A task that waits for a subject outside this process would see the signal only when that answers.
    const abort = (): void => void (closing = subjects.close());
    signal.addEventListener('abort', abort, { once: true });
    try {
      return { kind: 'done', result: await perform(task as Task, workplace) };
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' };
      if (error instanceof BadInput) throw error;
      return { kind: 'failed', how: 'threw', detail: String(error), program };
    } finally {
      signal.removeEventListener('abort', abort);
      await closing;
    }
  }

  async end(): Promise<void> {
    await this.subjects.close();
  }
}
