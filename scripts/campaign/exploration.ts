/** The third phase: batches of programs, until the time is up or there are no more. */

import type { BatchResult } from '../../properties/campaign/batch.js';
import type { ProgramRange } from '../../properties/campaign/batches.js';
import { rangeOf } from '../../properties/campaign/batches.js';
import type { Failure, SightingEvent } from '../../properties/campaign/event.js';
import type { Occurrence } from '../../properties/campaign/occurrence.js';
import { signatureOfOccurrence } from '../../properties/campaign/occurrence.js';
import { programsOf } from '../../properties/explore.js';
import { allCells, reachingOf } from '../../properties/pool/distil.js';
import type { Death } from '../../properties/campaign/death.js';
import { divergenceOf } from '../../properties/campaign/death.js';
import { guidanceOf } from './pool-file.js';
import { batchesOf } from './run-plan.js';
import type { Workshop } from './workshop.js';

/** How long batches at hand may outlast the time of a run, in milliseconds. */
const OVERTIME = 30_000;
/** How often a worker may fail on a batch before its first program. */
const MOST_FALSE_STARTS = 3;

export class Exploration {
  private readonly workshop: Workshop;
  /** Milliseconds of exploring in processes before this one. */
  private readonly before: number;
  private since: number | undefined = undefined;
  private until: number | undefined = undefined;
  /** Situation cells that the seeds reach; undefined if there are to be no seeds. */
  private covered: readonly number[] | undefined = undefined;
  /** No batch below is left to do. */
  private next = 0;

  constructor(workshop: Workshop) {
    this.workshop = workshop;
    this.before = workshop.shard.elapsed;
  }

  /** Milliseconds of exploring, in this process and those before it. */
  get elapsed(): number {
    if (this.since === undefined) return this.before;
    return Math.round(this.before + (this.until ?? this.workshop.now) - this.since);
  }

  async go(): Promise<void> {
    const { pool, part } = this.workshop.plan;
    if (pool !== undefined) this.covered = [...allCells(await reachingOf(pool.members))];
    const limit = part.time ?? Infinity;
    const late = new AbortController();
    const timer = limit === Infinity ? undefined : setTimeout(() => late.abort(), limit - this.before + OVERTIME);
    this.since = this.workshop.now;
    try {
      await this.workshop.everyWorker(async () => {
        if (this.elapsed >= limit) return false;
        const batch = this.takeBatch();
        const range = rangeOf(batch, batchesOf(this.workshop.plan));
        if (range !== undefined) await this.run(batch, range, late.signal);
        return range !== undefined;
      });
    } finally {
      clearTimeout(timer);
      this.until = this.workshop.now;
    }
  }

  /** The number of the first batch that is neither done nor at hand. */
  private takeBatch(): number {
    while (this.workshop.shard.batches.has(this.next)) this.next++;
    return this.next++;
  }

  private async run(batch: number, range: ProgramRange, late: AbortSignal): Promise<void> {
    const { workshop } = this;
    const { settings, ledger } = workshop;
    const deaths: Death[] = [];
    let failure: Failure | undefined;
    for (let falseStarts = 0; falseStarts < MOST_FALSE_STARTS;) {
      const skip = deaths.map(({ program }) => program);
      const task = { range, skip, enough: ledger.discoveries.enough(), settled: this.settledFor(range) };
      // Only when a worker has failed is it worth the time to know on which program.
      const careful = failure !== undefined;
      const outcome = await workshop.have({ kind: 'batch', settings, batch: task, careful }, late);
      if (outcome.kind === 'aborted') return;
      if (outcome.kind === 'done') {
        if (failure !== undefined && deaths.length === 0) this.rememberAccident(batch, failure);
        return await this.rememberBatch(batch, outcome.result, deaths);
      }
      failure = outcome.how;
      if (!careful) continue;
      if (outcome.program === undefined) falseStarts++;
      else deaths.push({ ...outcome, program: outcome.program });
    }
    throw new Error(`workers fail before they begin: ${failure}`);
  }

  /** Of these cells it is known well enough who reached them first. */
  private settledFor({ first }: ProgramRange): readonly number[] | undefined {
    if (this.covered === undefined) return undefined;
    return [...this.covered, ...this.workshop.ledger.firstReached.settledBefore(first)];
  }

  private rememberAccident(batch: number, how: Failure): void {
    this.workshop.remember({ kind: 'accident', shard: this.workshop.plan.part.shard, batch, how });
  }

  private async rememberBatch(batch: number, result: BatchResult, deaths: readonly Death[]): Promise<void> {
    const { programs, counts, sightings, reached } = result;
    const { workshop, elapsed } = this;
    const seen = sightings.map(({ signature, count, first }): SightingEvent => {
      const occurrences = first.map((raw): Occurrence => ({
        entry: workshop.entryOf(raw),
        shrunk: 'not',
        shown: undefined,
      }));
      return { signature, count, first: occurrences };
    });
    const died: SightingEvent[] = [];
    for (const death of deaths) {
      const occurrence = await this.occurrenceOf(death);
      died.push({ signature: signatureOfOccurrence(occurrence), count: 1, first: [occurrence] });
    }
    const { shard } = workshop.plan.part;
    workshop.remember({
      kind: 'batch',
      shard,
      batch,
      programs,
      elapsed,
      counts,
      sightings: [...seen, ...died],
      ...(reached.length === 0
        ? {}
        : { reached: reached.map(({ program, cells }) => ({ program, cells: [...cells] })) }),
    });
  }

  private async occurrenceOf(death: Death): Promise<Occurrence> {
    const { settings } = this.workshop;
    const { program } = death;
    const guidance = settings.guidance === undefined ? undefined : await guidanceOf(settings.guidance);
    const found = programsOf(settings.campaign, { ...settings, guidance })(program).value;
    const originalSteps = found.program.steps.length;
    const entry = this.workshop.entryOf({ program, originalSteps, case: found, divergence: divergenceOf(death) });
    return { entry, shrunk: 'not', shown: undefined };
  }
}
