/** What every phase of a run works with: its plan, what it remembers, and its workers. */

import type { Finding } from '../../properties/finding.js';
import type { Raw } from '../../properties/campaign/batch.js';
import type { Event } from '../../properties/campaign/event.js';
import type { Ledger, ShardSum } from '../../properties/campaign/ledger.js';
import type { Session } from '../terminal/session.js';
import type { Crew, Outcome } from './crew.js';
import type { EventLog } from './event-log.js';
import type { RunPlan } from './run-plan.js';
import { settingsOf } from './run-plan.js';
import type { CampaignSettings, Results, TaskKind, TaskOf } from './tasks.js';

/** Beside twice the limit for one program, in milliseconds. */
const PATIENCE = 1000;

export interface Tools {
  readonly session: Session;
  readonly log: EventLog;
  readonly crew: Crew;
}

export class Workshop {
  readonly plan: RunPlan;
  readonly ledger: Ledger;
  readonly settings: CampaignSettings;
  private readonly tools: Tools;
  private readonly patience: number;
  private readonly closing = new AbortController();

  constructor(plan: RunPlan, ledger: Ledger, tools: Tools) {
    this.plan = plan;
    this.ledger = ledger;
    this.tools = tools;
    this.settings = settingsOf(plan.record.campaign, plan.directory);
    this.patience = 2 * this.settings.caseTimeout + PATIENCE;
  }

  /** Milliseconds since whenever. */
  get now(): number {
    return this.tools.session.surroundings.monotonic();
  }

  get today(): Date {
    return this.tools.session.surroundings.today();
  }

  /** Nothing is begun any more, and what was at hand may have been broken off. */
  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** The sum of the shard that is run here. */
  get shard(): ShardSum {
    return this.ledger.shard(this.plan.part.shard);
  }

  /** First to the file, then to the sums: what is told is also written. */
  remember(event: Event): void {
    this.tools.log.append(event);
    this.ledger.take(event);
  }

  /** Has a worker do a task. `late`: ends it as the closing of the workshop does. */
  async have<Kind extends TaskKind>(task: TaskOf<Kind>, late?: AbortSignal): Promise<Outcome<Results[Kind]>> {
    const { signal } = this.closing;
    const either = late === undefined ? signal : AbortSignal.any([signal, late]);
    return await this.tools.crew.run(task, this.patience, either);
  }

  /** Each of so many workers takes what comes next, until nothing does. What goes wrong with one ends the work of all. */
  async everyWorker(work: () => Promise<boolean>): Promise<void> {
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

  /** Tasks at hand are broken off, and no other is begun. */
  close(): void {
    this.closing.abort();
  }

  /** A program of the campaign as an entry of a corpus. */
  entryOf({ program, originalSteps, case: found, divergence }: Raw): Finding {
    const { version, seed, subject, reference } = this.plan.record.campaign;
    return {
      status: 'open',
      subject,
      reference,
      case: found,
      divergence,
      provenance: { date: this.plan.part.started, version, seed, program, originalSteps },
      note: '',
    };
  }
}
