/** What every phase of a run works with: its plan, its ledger, and its workers. */

import type { Event } from '../../properties/campaign/events.js';
import type { Ledger, ShardSum } from '../../properties/campaign/ledger.js';
import type { Finding } from '../../properties/finding.js';
import { isExpired } from '../../properties/known-findings.js';
import type { KnownFinding } from '../../properties/known-findings.js';
import type { Session } from '../terminal/session.js';
import type { Outcome, WorkerPool } from '../terminal/surroundings.js';
import type { CampaignPlan } from './campaign-plan.js';
import { settingsOf } from './campaign-plan.js';
import type { EventSink } from './event-log.js';
import type { CampaignSettings, Results, TaskKind, TaskOf } from './tasks.js';

/** Milliseconds beside twice the time limit of a program after which a silent worker counts as hung. */
const PATIENCE = 1000;

export interface RunTools {
  readonly session: Session;
  readonly log: EventSink;
  readonly workers: WorkerPool;
  /** Told about each finding once it is shrunk and always shows. */
  readonly onFinding: (finding: Finding) => Promise<void>;
}

export class RunContext {
  readonly plan: CampaignPlan;
  readonly ledger: Ledger;
  readonly settings: CampaignSettings;
  /** Signatures that do not count as findings. */
  readonly tolerated: ReadonlySet<string>;
  readonly onFinding: RunTools['onFinding'];
  private readonly tools: RunTools;
  private readonly patience: number;
  private readonly closing = new AbortController();

  constructor(plan: CampaignPlan, ledger: Ledger, tools: RunTools) {
    this.plan = plan;
    this.ledger = ledger;
    this.tools = tools;
    this.onFinding = tools.onFinding;
    this.settings = settingsOf(plan.record.campaign, plan.part, plan.directory);
    this.tolerated = toleratedOn(this.today, plan.known);
    this.patience = 2 * this.settings.caseTimeout + PATIENCE;
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

  /** Has a worker do a task. `late`: aborts it as closing the context does. */
  async perform<Kind extends TaskKind>(task: TaskOf<Kind>, late?: AbortSignal): Promise<Outcome<Results[Kind]>> {
    const { signal } = this.closing;
    const either = late === undefined ? signal : AbortSignal.any([signal, late]);
    return (await this.tools.workers.run(task, this.patience, either)) as Outcome<Results[Kind]>;
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

/** Signatures that do not fail a run on this day; an expired one is a finding like any other. */
export const toleratedOn = (day: Date, known: readonly KnownFinding[]): ReadonlySet<string> =>
  new Set(known.filter((each) => !isExpired(each, day.toISOString().slice(0, 10))).map(({ signature }) => signature));
