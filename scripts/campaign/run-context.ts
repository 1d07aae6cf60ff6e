/** What every phase of a run works with: its plan, its ledger, and its workers. */

import { basename } from 'node:path';
import type { Event, Failure, RetryEvent } from '../../properties/campaign/events.js';
import type { Ledger, ShardSum } from '../../properties/campaign/ledger.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Finding } from '../../properties/finding.js';
import { formatCount } from '../terminal/numbers.js';
import type { Session } from '../terminal/session.js';
import type { Outcome, WorkerPool } from '../terminal/surroundings.js';
import type { CampaignPlan } from './campaign-plan.js';
import { hasCommand, settingsOf } from './campaign-plan.js';
import type { EventSink } from './event-log.js';
import type { Tolerated } from './tolerance.js';
import { toleratedOn } from './tolerance.js';
import type { CampaignSettings, Results, Task, TaskKind, TaskOf } from './tasks.js';

/** A worker may be killed from outside. After this many for one task, the run does without the result. */
const MOST_KILLS = 5;
/** How often a task is tried if no program is to blame for its failure, or if the failure would be a verdict. */
export const MOST_ATTEMPTS = 3;
/** Tasks left undone after which no more programs are tried: something keeps the run from working. */
const MOST_UNDONE = 16;
/** At most this many of them are named. */
const MOST_NAMED = 3;
/** Milliseconds beside twice the time limit of a program, and that of a start, after which a silent worker counts as hung. */
const PATIENCE = 1000;

/** What is known about a task. `unknown`: nothing, because the run ends, or because workers were killed again and again. */
export type Performed<Result> = Exclude<Outcome<Result>, { kind: 'aborted' | 'killed' }> | { readonly kind: 'unknown' };

interface PerformOptions {
  readonly late?: AbortSignal | undefined;
  readonly attempts?: number;
  readonly onSteps?: (steps: number) => void;
}

export interface RunTools {
  readonly session: Session;
  readonly log: EventSink;
  readonly workers: WorkerPool;
  /** Called with each finding once it is shrunk and always shows. */
  readonly onFinding: (finding: Finding) => Promise<void>;
}

export class RunContext {
  readonly plan: CampaignPlan;
  readonly ledger: Ledger;
  readonly settings: CampaignSettings;
  /** What does not count as a finding. */
  readonly tolerated: Tolerated;
  readonly onFinding: RunTools['onFinding'];
  /** Those that were begun. */
  tasks = 0;
  private readonly tools: RunTools;
  private readonly patience: number;
  private readonly closing = new AbortController();
  /** Tasks that this process could not get done, and why. */
  private readonly undone: string[] = [];

  constructor(plan: CampaignPlan, ledger: Ledger, tools: RunTools) {
    this.plan = plan;
    this.ledger = ledger;
    this.tools = tools;
    this.onFinding = tools.onFinding;
    this.settings = settingsOf(plan);
    this.tolerated = toleratedOn(this.today, plan.known);
    const { caseTimeout } = this.settings;
    this.patience = 2 * caseTimeout + (hasCommand(this.settings) ? plan.startTimeout : 0) + PATIENCE;
  }

  /** Milliseconds since some moment. */
  get now(): number {
    return this.tools.session.surroundings.monotonic();
  }

  get today(): Date {
    return this.tools.session.surroundings.today();
  }

  /** No task begins any more, and those at hand were aborted. */
  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** The sum of the shard that runs here. */
  get shard(): ShardSum {
    return this.ledger.shard(this.plan.part.shard);
  }

  /** Writes events before they count, so that whatever is reported is also stored. */
  record(...events: readonly Event[]): void {
    this.tools.log.append(...events);
    for (const event of events) this.ledger.add(event);
  }

  /**
   * Has a worker do a task, and another one if the first is killed. `late`: aborts it as closing the context does. `attempts`: how often a
   * task is tried at which workers fail. `onSteps`: called now and then with the steps of the program that is being shrunk.
   */
  async perform<Kind extends TaskKind>(
    task: TaskOf<Kind>,
    { late, attempts = 1, onSteps }: PerformOptions = {},
  ): Promise<Performed<Results[Kind]>> {
    const { signal } = this.closing;
    const either = late === undefined ? signal : AbortSignal.any([signal, late]);
    const plain = task as Task;
    this.tasks++;
    let kills = 0;
    for (let failures = 0; ;) {
      const outcome = (await this.tools.workers.run(task, this.patience, either, onSteps)) as Outcome<Results[Kind]>;
      switch (outcome.kind) {
        case 'done':
          return outcome;
        case 'aborted':
          return { kind: 'unknown' };
        case 'killed':
          this.recordRetry(plain, 'was killed', failures + ++kills);
          if (kills < MOST_KILLS) break;
          this.leaveUndone(plain, `${MOST_KILLS} workers were killed; free memory or use fewer --jobs`);
          return { kind: 'unknown' };
        case 'failed':
          if (++failures === attempts) return outcome;
          this.recordRetry(plain, outcome.how, failures + kills);
          break;
        default:
          return outcome satisfies never;
      }
    }
  }

  /** Another worker is to try the task again. `attempt`: that of the first, from 1. */
  recordRetry(task: Task, how: RetryEvent['how'], attempt: number): void {
    this.record({ kind: 'retry', shard: this.plan.part.shard, task: nameOf(task), attempt, how });
  }

  /** The result of a task is not known; a run that resumes tries it again. `why`: a clause. */
  leaveUndone(task: Task, why: string): void {
    this.undone.push(`${nameOf(task)} (${why})`);
  }

  get isHopeless(): boolean {
    return this.undone.length >= MOST_UNDONE;
  }

  /** Why the run is not complete, if it could not do all of its tasks. */
  get shortcoming(): string | undefined {
    const { undone } = this;
    if (undone.length === 0) return undefined;
    const more = undone.length > MOST_NAMED ? ` and ${formatCount(undone.length - MOST_NAMED)} more` : '';
    return `not done: ${undone.slice(0, MOST_NAMED).join(', ')}${more}`;
  }

  /** Runs `work` on every worker until it returns false. The first failure stops all of them. */
  async onEveryWorker(work: () => Promise<boolean>): Promise<void> {
    const loop = async (): Promise<void> => {
      try {
        while (!this.isClosed && (await work()));
      } catch (error) {
        this.close();
        throw error;
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: this.plan.part.jobs }, loop));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Aborts the tasks at hand, and lets no other begin. */
  close(): void {
    this.closing.abort();
  }
}

/** Why a task that workers failed at is undone. */
export const failureText = ({ how, detail }: { readonly how: Failure; readonly detail: string }): string =>
  `${MOST_ATTEMPTS} workers failed; the last one ${how}: ${detail}`;

const nameOf = (task: Task): string => {
  switch (task.kind) {
    case 'batch':
      return `programs of ${task.settings.campaign} from ${task.batch.range.first}`;
    case 'farewell':
      return 'the end of the subjects';
    case 'shrink':
    case 'sequence':
    case 'rerun':
      return `${task.kind} of ${signatureOf(task.finding.divergence)}`;
    case 'corpus':
      return `corpus entry ${basename(task.path)}`;
    default:
      return task satisfies never;
  }
};
