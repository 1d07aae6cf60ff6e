/** Runs batches of programs until the time is up, there are no more programs, or enough kinds of finding are known. */

import type { BatchResult, BatchTask, KindLimit } from '../../properties/campaign/batch.js';
import { findingOf } from '../../properties/campaign/batch.js';
import type { ProgramRange } from '../../properties/campaign/batches.js';
import { rangeOf } from '../../properties/campaign/batches.js';
import type { Event, Failure } from '../../properties/campaign/events.js';
import { failureDivergence } from '../../properties/campaign/events.js';
import { programsOf } from '../../properties/campaign/programs.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Finding } from '../../properties/finding.js';
import { batchesOf, hasCommand } from './campaign-plan.js';
import type { RunContext } from './run-context.js';
import { MOST_ATTEMPTS } from './run-context.js';

/** How long batches at hand may outlast the time of a run, in milliseconds. */
const OVERTIME = { fuzz: 10_000, nightly: 30_000 } as const;
/** What came of a batch. */
interface Completed {
  readonly range: ProgramRange;
  readonly result: BatchResult;
  /** One for each program that no worker survived. */
  readonly deaths: readonly Finding[];
}

/** Ends the subjects on every worker, because how they exit counts. */
export const endSubjects = async (context: RunContext): Promise<void> => {
  if (!hasCommand(context.settings) || context.tasks === 0) return;
  const { settings } = context;
  // All at once, so that each worker gets one.
  const farewells = Array.from({ length: context.plan.part.jobs }, () =>
    context.perform({ kind: 'farewell', settings }),
  );
  for (const outcome of await Promise.all(farewells)) {
    if (outcome.kind === 'done')
      context.record(...outcome.result.map((finding) => ({ kind: 'finding', finding }) as const));
  }
};

export class Exploration {
  private readonly context: RunContext;
  /** Milliseconds of exploring in processes before this one. */
  private readonly before: number;
  private since: number | undefined = undefined;
  private until: number | undefined = undefined;
  /** Every batch below is done or at hand. */
  private next = 0;
  /** Batches at hand, ascending. */
  private readonly pending: number[] = [];
  /** Those that are complete, and wait for an earlier one. */
  private readonly completed = new Map<number, Completed>();
  private committing = Promise.resolve();

  constructor(context: RunContext) {
    this.context = context;
    this.before = context.shard.elapsed;
  }

  /** Milliseconds of exploring, in this process and those before it. */
  get elapsed(): number {
    if (this.since === undefined) return this.before;
    return Math.round(this.before + (this.until ?? this.context.now) - this.since);
  }

  get isOver(): boolean {
    return this.until !== undefined;
  }

  /** `between`: asked before each batch whether it has something to do first. */
  async run(between: () => Promise<boolean>): Promise<void> {
    const { part, record } = this.context.plan;
    const { kind } = record.campaign;
    const limit = part.time ?? Infinity;
    const late = new AbortController();
    const timer = limit === Infinity ? undefined : setTimeout(() => late.abort(), limit - this.before + OVERTIME[kind]);
    this.since = this.context.now;
    try {
      await this.context.onEveryWorker(async () => {
        if ((this.elapsed >= limit && !this.isAtStart) || this.context.isHopeless) return false;
        if (await between()) return true;
        if (this.kindsLeft <= 0) return false;
        const cut = this.isAtStart ? undefined : late.signal;
        const batch = this.takeBatch();
        const range = rangeOf(batch, batchesOf(this.context.plan));
        if (range === undefined) return false;
        await this.runBatch(batch, range, cut);
        return true;
      });
    } finally {
      clearTimeout(timer);
      this.until = this.context.now;
    }
  }

  /** The first batch always runs: on a busy machine, starting a worker may take longer than the whole time of a short run. */
  private get isAtStart(): boolean {
    return this.next === 0 && this.context.shard.programs === 0;
  }

  /** The number of the first batch that is neither done nor at hand. */
  private takeBatch(): number {
    const batch = this.context.shard.batches.firstMissing(this.next);
    this.next = batch + 1;
    return batch;
  }

  private async runBatch(batch: number, range: ProgramRange, late: AbortSignal | undefined): Promise<void> {
    this.pending.push(batch);
    const completed = await this.complete(range, late, this.kindLimit);
    if (completed === undefined) this.pending.splice(this.pending.indexOf(batch), 1);
    else this.completed.set(batch, completed);
    // One at a time: whether a batch counts depends on those before it.
    this.committing = this.committing.then(() => this.commit(late));
    await this.committing;
  }

  /** Runs a batch, on another worker if one fails; undefined if its result is not known. */
  private async complete(
    range: ProgramRange,
    late: AbortSignal | undefined,
    limit: KindLimit | undefined,
  ): Promise<Completed | undefined> {
    const { context } = this;
    const deaths: Finding[] = [];
    let failure: Failure | undefined;
    let detail = '';
    for (let falseStarts = 0; falseStarts < MOST_ATTEMPTS;) {
      // Only after a failure is it worth the time to learn which program it was.
      const careful = failure !== undefined;
      const batch: BatchTask = {
        range,
        careful,
        skip: deaths.map(({ provenance }) => provenance.program),
        enough: context.ledger.findings.enough(),
        settled: context.ledger.firstReached.settledBefore(range.first),
        limit,
      };
      const task = { kind: 'batch', settings: context.settings, batch } as const;
      const outcome = await context.perform(task, { late });
      if (outcome.kind === 'unknown') return undefined;
      if (outcome.kind === 'done') {
        if (failure !== undefined && deaths.length === 0) context.recordRetry(task, failure, 1);
        return { range, result: outcome.result, deaths };
      }
      failure = outcome.how;
      detail = outcome.detail;
      if (!careful) continue;
      if (outcome.program === undefined) falseStarts++;
      else deaths.push(this.deathOf(outcome.program, failure, detail));
    }
    throw new Error(`workers fail before they begin (${failure}: ${detail})`);
  }

  private deathOf(program: number, how: Failure, detail: string): Finding {
    const { settings } = this.context;
    const found = programsOf(settings)(program).value;
    return findingOf(settings, program, found.program.steps.length, found, failureDivergence(how, detail));
  }

  /** Records the batches that are complete, as long as all before them are. */
  private async commit(late: AbortSignal | undefined): Promise<void> {
    for (let batch = this.pending[0]; batch !== undefined; batch = this.pending[0]) {
      const completed = this.completed.get(batch);
      if (completed === undefined) return;
      if (this.kindsLeft <= 0) return;
      const within = await this.withinLimit(completed, late);
      if (within === undefined) return;
      this.pending.shift();
      this.completed.delete(batch);
      this.record(batch, within);
    }
  }

  private record(batch: number, { result, deaths }: Completed): void {
    const { shard } = this.context.plan.part;
    const { programs, counts, findings, reached } = result;
    const signatures: Record<string, number> = { ...result.signatures };
    for (const { divergence } of deaths)
      signatures[signatureOf(divergence)] = (signatures[signatureOf(divergence)] ?? 0) + 1;
    const events: Event[] = [...findings, ...deaths].map((finding) => ({ kind: 'finding', finding }));
    // The last one: until it is written, the batch is not done.
    events.push({
      kind: 'batch',
      shard,
      batch,
      programs,
      elapsed: this.elapsed,
      counts,
      signatures,
      ...(reached.length === 0
        ? {}
        : { reached: reached.map(({ program, cells }) => ({ program, cells: [...cells] })) }),
    });
    this.context.record(...events);
  }

  // The limit on kinds of finding. A run ends with the program that shows the last of them, however many workers it has: batches
  // count in their order, and one that went further runs again up to that program.

  private get kindsLeft(): number {
    const { maxFindings } = this.context.plan.record.campaign;
    if (maxFindings === null) return Infinity;
    const found = [...this.context.ledger.signatures().keys()];
    return maxFindings - found.filter((signature) => !this.context.tolerated.has(signature)).length;
  }

  private get kindLimit(): KindLimit | undefined {
    const kinds = this.kindsLeft;
    if (kinds === Infinity) return undefined;
    return { kinds, ignored: [...this.context.ledger.signatures().keys(), ...this.context.tolerated.keys()] };
  }

  private async withinLimit(completed: Completed, late: AbortSignal | undefined): Promise<Completed | undefined> {
    const limit = this.kindLimit;
    if (limit === undefined) return completed;
    const { range, result, deaths } = completed;
    const ignored = new Set(limit.ignored);
    const firsts = new Map<string, number>();
    for (const { divergence, provenance } of [...result.findings, ...deaths]) {
      const signature = signatureOf(divergence);
      if (!ignored.has(signature))
        firsts.set(signature, Math.min(provenance.program, firsts.get(signature) ?? Infinity));
    }
    const last = [...firsts.values()].toSorted((one, other) => one - other)[limit.kinds - 1];
    if (last === undefined) return completed;
    const count = (last - range.first) / range.stride + 1;
    if (count === result.programs && firsts.size === limit.kinds) return completed;
    return await this.complete({ ...range, count }, late, deaths.length === 0 ? limit : undefined);
  }
}
