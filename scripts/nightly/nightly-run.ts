/** The phases of a run: the corpus, the canary, exploring, shrinking. Each remembers what it did, and leaves out what is remembered. */

import { join } from 'node:path';
import { formatProgram } from '../../model/format/index.js';
import type { BatchResult, Raw } from '../../properties/campaign/batch.js';
import { programsOfShardWithin, rangeOf } from '../../properties/campaign/batches.js';
import { CANARY_PROGRAMS, canaryCampaign, canaryOf } from '../../properties/campaign/canary.js';
import { numberOf } from '../../properties/campaign/discoveries.js';
import type { Event, Failure } from '../../properties/campaign/event.js';
import { Ledger } from '../../properties/campaign/ledger.js';
import type { Occurrence } from '../../properties/campaign/occurrence.js';
import { RERUNS, signatureOfOccurrence } from '../../properties/campaign/occurrence.js';
import type { CorpusEntry } from '../../properties/corpus/entry.js';
import type { Divergence } from '../../properties/divergence.js';
import { signatureOf } from '../../properties/divergence.js';
import { programsOf } from '../../properties/explore.js';
import { DEFAULT_PROGRAM_OPTIONS } from '../../properties/arbitraries/index.js';
import { MODEL } from '../../properties/subjects/registry.js';
import { tolerated } from '../fuzzing/known.js';
import type { Progress } from '../report/progress-line.js';
import type { Session } from '../session.js';
import type { Crew, Outcome } from './crew.js';
import { earlierEntries } from './earlier-entries.js';
import type { EventLog } from './event-log.js';
import type { RunPlan } from './run-plan.js';
import { batchesOf, settingsOf } from './run-plan.js';
import type { CampaignSettings } from './tasks.js';

/** Beside twice the limit for one program, in milliseconds. */
const PATIENCE = 1000;
/** How long batches at hand may outlast the time of a run, in milliseconds. */
const OVERTIME = 30_000;
/** Programs of the canary in one task. */
const CANARY_BATCH = 64;
/** How often a worker may fail on a batch before its first program. */
const MOST_FALSE_STARTS = 3;

/** A program that no worker survives. */
interface Death {
  readonly program: number;
  readonly how: Failure;
  readonly detail: string;
}

export class NightlyRun {
  readonly ledger: Ledger;
  interrupted = false;
  private readonly plan: RunPlan;
  private readonly session: Session;
  private readonly log: EventLog;
  private readonly crew: Crew;
  private readonly settings: CampaignSettings;
  private readonly patience: number;
  private readonly stop = new AbortController();
  /** Milliseconds of exploring in processes before this one. */
  private readonly before: number;
  private exploringSince: number | undefined = undefined;
  private exploredUntil: number | undefined = undefined;
  private shrinkingUntil: number | undefined = undefined;

  constructor(plan: RunPlan, ledger: Ledger, tools: { session: Session; log: EventLog; crew: Crew }) {
    this.plan = plan;
    this.ledger = ledger;
    this.session = tools.session;
    this.log = tools.log;
    this.crew = tools.crew;
    this.settings = settingsOf(plan.record.campaign);
    this.patience = 2 * this.settings.caseTimeout + PATIENCE;
    this.before = ledger.shard(plan.part.shard).elapsed;
  }

  async go(): Promise<void> {
    const { surroundings } = this.session;
    this.remember({ kind: 'begin', at: surroundings.today().toISOString(), shard: this.plan.part.shard });
    await this.replayCorpus();
    await this.runCanary();
    await this.explore();
    await this.shrink();
    if (this.interrupted) return;
    this.remember({ kind: 'end', at: surroundings.today().toISOString(), shard: this.plan.part.shard });
  }

  interrupt(): void {
    this.interrupted = true;
    this.stop.abort();
  }

  progress(): Progress {
    const { programs, tally } = this.ledger.shard(this.plan.part.shard);
    const findings = this.ledger.discoveries.size;
    const shrinking = this.shrinkingUntil !== undefined;
    return {
      programs,
      steps: tally.steps,
      findings,
      elapsed: this.elapsed,
      left: this.left(programs),
      shrinking,
      tally,
    };
  }

  private left(programs: number): Progress['left'] {
    const { part, record } = this.plan;
    const { shrinkingUntil } = this;
    if (shrinkingUntil !== undefined) {
      return { kind: 'time', milliseconds: shrinkingUntil - this.session.surroundings.monotonic() };
    }
    if (part.time !== null) return { kind: 'time', milliseconds: part.time - this.elapsed };
    const { campaign } = record;
    const all = programsOfShardWithin({ index: part.shard, of: campaign.shards }, campaign.programs ?? Infinity);
    return { kind: 'programs', count: all - programs };
  }

  /** Milliseconds of exploring, in this process and those before it. */
  private get elapsed(): number {
    if (this.exploringSince === undefined) return this.before;
    const until = this.exploredUntil ?? this.session.surroundings.monotonic();
    return Math.round(this.before + until - this.exploringSince);
  }

  /** First to the file, then to the sums: what is told is also written. */
  private remember(event: Event): void {
    this.log.append(event);
    this.ledger.take(event);
  }

  /** Each of so many workers takes what comes next, until nothing does. What goes wrong with one ends the work of all. */
  private async everyWorker(work: () => Promise<boolean>): Promise<void> {
    const loop = async (): Promise<void> => {
      try {
        while (!this.stop.signal.aborted && (await work()));
      } catch (error) {
        this.stop.abort();
        throw error;
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: this.plan.part.jobs }, loop));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  // The corpus.

  private async replayCorpus(): Promise<void> {
    const { part, record } = this.plan;
    const files = await earlierEntries(part.corpus, { campaign: record.campaign, parts: [part] });
    const left = files.filter((file) => !this.ledger.corpus.has(file));
    await this.everyWorker(async () => {
      const file = left.shift();
      if (file === undefined) return false;
      await this.replayFile(file);
      return true;
    });
  }

  private async replayFile(file: string): Promise<void> {
    const { subject, caseTimeout } = this.settings;
    const path = join(this.plan.part.corpus, file);
    const outcome = await this.crew.run(
      { kind: 'corpus', path, subject, caseTimeout },
      this.patience,
      this.stop.signal,
    );
    if (outcome.kind === 'aborted') return;
    if (outcome.kind === 'failed') {
      const reason = `the worker ${outcome.how} on it: ${outcome.detail}`;
      return this.remember({ kind: 'corpus', file, recordedFor: 'nobody', verdict: 'diverges', reason });
    }
    const { recordedFor, signature, verdict, reason } = outcome.result;
    const recorded = signature === undefined ? {} : { signature };
    this.remember({ kind: 'corpus', file, recordedFor, ...recorded, verdict, reason });
  }

  // The canary.

  private async runCanary(): Promise<void> {
    if (this.ledger.canary !== undefined) return;
    const defect = canaryOf(this.settings.campaign).id;
    let next = 0;
    let caught = Infinity;
    await this.everyWorker(async () => {
      const first = next;
      if (first >= Math.min(CANARY_PROGRAMS, caught)) return false;
      next += CANARY_BATCH;
      const program = await this.firstCatch(defect, first);
      caught = Math.min(caught, program ?? Infinity);
      return true;
    });
    if (this.interrupted) return;
    const isCaught = caught !== Infinity;
    this.remember({ kind: 'canary', defect, caught: isCaught, programs: isCaught ? caught + 1 : CANARY_PROGRAMS });
  }

  /** The first of a batch of programs that catches the defect. */
  private async firstCatch(defect: string, first: number): Promise<number | undefined> {
    const settings: CampaignSettings = {
      ...this.settings,
      ...DEFAULT_PROGRAM_OPTIONS,
      campaign: canaryCampaign(this.settings.campaign),
      subject: `impl:${defect}`,
      reference: MODEL.name,
    };
    const batch = { range: { first, stride: 1, count: CANARY_BATCH }, skip: [], enough: {} };
    const outcome = await this.crew.run(
      { kind: 'batch', settings, batch, careful: false },
      this.patience,
      this.stop.signal,
    );
    if (outcome.kind !== 'done') return undefined;
    const programs = outcome.result.sightings.flatMap((each) => each.first.map(({ program }) => program));
    return programs.length === 0 ? undefined : Math.min(...programs);
  }

  // Exploring.

  private async explore(): Promise<void> {
    const { monotonic } = this.session.surroundings;
    const limit = this.plan.part.time ?? Infinity;
    this.exploringSince = monotonic();
    const late = new AbortController();
    const timer = limit === Infinity ? undefined : setTimeout(() => late.abort(), limit - this.before + OVERTIME);
    const signal = AbortSignal.any([this.stop.signal, late.signal]);
    const begun = new Set<number>();
    try {
      await this.everyWorker(async () => {
        const batch = this.nextBatch(begun);
        if (batch === undefined || this.elapsed >= limit) return false;
        begun.add(batch);
        await this.runBatch(batch, signal);
        return true;
      });
    } finally {
      clearTimeout(timer);
      this.exploredUntil = monotonic();
    }
  }

  /** The first batch that is neither done nor at hand, if there is one. */
  private nextBatch(begun: ReadonlySet<number>): number | undefined {
    const { record, part } = this.plan;
    const { batches } = this.ledger.shard(part.shard);
    let batch = this.firstOpen;
    while (batches.has(batch) || begun.has(batch)) batch++;
    this.firstOpen = batch;
    return rangeOf(batch, batchesOf(record, part)) === undefined ? undefined : batch;
  }

  private firstOpen = 0;

  private async runBatch(batch: number, signal: AbortSignal): Promise<void> {
    const { record, part } = this.plan;
    const range = rangeOf(batch, batchesOf(record, part))!;
    const deaths: Death[] = [];
    let failure: Failure | undefined;
    for (let falseStarts = 0; ;) {
      const skip = deaths.map(({ program }) => program);
      const task = { range, skip, enough: this.ledger.discoveries.enough() };
      // Only when a worker has failed is it worth the time to know on which program.
      const careful = failure !== undefined;
      const outcome = await this.crew.run(
        { kind: 'batch', settings: this.settings, batch: task, careful },
        this.patience,
        signal,
      );
      if (outcome.kind === 'aborted') return;
      if (outcome.kind === 'done') {
        if (failure !== undefined && deaths.length === 0) {
          this.remember({ kind: 'accident', shard: part.shard, batch, how: failure });
        }
        return this.rememberBatch(batch, outcome.result, deaths);
      }
      failure = outcome.how;
      if (!careful) continue;
      if (outcome.program !== undefined) deaths.push({ ...outcome, program: outcome.program });
      else if (++falseStarts === MOST_FALSE_STARTS)
        throw new Error(`workers fail before they begin: ${outcome.detail}`);
    }
  }

  private rememberBatch(batch: number, result: BatchResult, deaths: readonly Death[]): void {
    const sightings = new Map(
      result.sightings.map(({ signature, count, first }) => {
        const occurrences = first.map((raw): Occurrence => ({
          entry: this.entryOf(raw),
          shrunk: 'not',
          shown: undefined,
        }));
        return [signature, { signature, count, first: occurrences }] as const;
      }),
    );
    for (const death of deaths) {
      const occurrence = this.occurrenceOf(death);
      const signature = signatureOfOccurrence(occurrence);
      const same = sightings.get(signature) ?? { signature, count: 0, first: [] };
      sightings.set(signature, { signature, count: same.count + 1, first: [...same.first, occurrence] });
    }
    this.remember({
      kind: 'batch',
      shard: this.plan.part.shard,
      batch,
      programs: result.programs,
      elapsed: this.elapsed,
      counts: result.counts,
      sightings: [...sightings.values()],
    });
  }

  private occurrenceOf({ program, how, detail }: Death): Occurrence {
    const found = programsOf(this.settings.campaign, this.settings)(program).value;
    const divergence = deathOf(how, detail);
    const originalSteps = found.program.steps.length;
    return {
      entry: this.entryOf({ program, originalSteps, case: found, divergence }),
      shrunk: 'not',
      shown: undefined,
    };
  }

  private entryOf({ program, originalSteps, case: found, divergence }: Raw): CorpusEntry {
    const { campaign } = this.plan.record;
    return {
      status: 'open',
      subject: campaign.subject,
      reference: campaign.reference,
      case: found,
      divergence,
      provenance: {
        date: this.plan.part.started,
        version: campaign.version,
        seed: campaign.seed,
        program,
        originalSteps,
      },
      note: '',
    };
  }

  // Shrinking.

  /** The first program of every signature comes before the second one of any: when the time is up, most are small. */
  private async shrink(): Promise<void> {
    const { monotonic, today } = this.session.surroundings;
    const end = monotonic() + this.plan.part.shrinkTime;
    this.shrinkingUntil = end;
    const known = tolerated(this.plan.known, today());
    const discoveries = this.ledger.discoveries.list().filter(({ signature }) => !known.has(signature));
    const ranks = [0, 1, 2];
    const left = ranks.flatMap((rank) =>
      discoveries.flatMap(({ occurrences }) => {
        const occurrence = occurrences[rank];
        return occurrence === undefined || isWorkedOut(occurrence) ? [] : [{ rank, occurrence }];
      }),
    );
    await this.everyWorker(async () => {
      const next = left.shift();
      if (next === undefined) return false;
      const time = end - monotonic();
      // Once the time is up each signature is run again at least, so that nobody chases a ghost.
      if (time > 0 || next.rank === 0) await this.workOut(next.occurrence, time);
      return true;
    });
  }

  private async workOut(occurrence: Occurrence, time: number): Promise<void> {
    const smaller =
      time > 0 && !isDeath(occurrence.entry.divergence) ? await this.smaller(occurrence, time) : occurrence;
    if (smaller === undefined) return;
    const shown = await this.showings(smaller.entry);
    if (shown === undefined) return;
    this.remember({ kind: 'occurrence', occurrence: { ...smaller, shown } });
  }

  private async smaller(occurrence: Occurrence, time: number): Promise<Occurrence | undefined> {
    const { entry } = occurrence;
    const task = {
      kind: 'shrink',
      settings: this.settings,
      program: numberOf(occurrence),
      signature: signatureOfOccurrence(occurrence),
      mostTries: this.plan.record.campaign.maxTries,
      time,
    } as const;
    const outcome = await this.crew.run(task, this.patience, this.stop.signal);
    if (outcome.kind === 'aborted') return undefined;
    // A worker that fails while it shrinks has met another program; this one stays as it is.
    if (outcome.kind === 'failed' || outcome.result === undefined || !outcome.result.reproduced) return occurrence;
    const { case: small, divergence, interrupted } = outcome.result;
    return {
      entry: { ...entry, case: small, divergence },
      shrunk: interrupted ? 'partly' : 'wholly',
      shown: undefined,
    };
  }

  /** In how many of `RERUNS` a stored program shows its finding again. */
  private async showings(entry: CorpusEntry): Promise<number | undefined> {
    if (isDeath(entry.divergence)) return await this.deaths(entry);
    const { divergence, case: found } = entry;
    const task = {
      kind: 'rerun',
      settings: this.settings,
      invariant: divergence.invariant,
      signature: signatureOf(divergence),
      traffic: found.traffic,
      program: formatProgram(found.program),
    } as const;
    const outcome = await this.crew.run(task, this.patience, this.stop.signal);
    if (outcome.kind === 'aborted') return undefined;
    return outcome.kind === 'done' ? outcome.result : 0;
  }

  private async deaths({ provenance, divergence }: CorpusEntry): Promise<number | undefined> {
    const batch = { range: { first: provenance.program, stride: 1, count: 1 }, skip: [], enough: {} };
    const task = { kind: 'batch', settings: this.settings, batch, careful: true } as const;
    let died = 0;
    for (let time = 0; time < RERUNS; time++) {
      const outcome: Outcome<BatchResult> = await this.crew.run(task, this.patience, this.stop.signal);
      if (outcome.kind === 'aborted') return undefined;
      if (outcome.kind === 'failed' && signatureOf(deathOf(outcome.how, '')) === signatureOf(divergence)) died++;
    }
    return died;
  }
}

/** A worker's death is told like that of a subject outside the process. */
const deathOf = (how: Failure, detail: string): Divergence => ({
  invariant: how === 'hung' ? 'subject-timeout' : 'subject-crash',
  alsoBroken: [],
  place: { kind: 'create' },
  stage: 'create',
  field: DEATH_FIELD,
  expected: 'a program that ends',
  actual: `the worker ${how}: ${detail}`,
  difference: `the worker ${how}`,
});

const DEATH_FIELD = 'worker';

const isDeath = ({ field }: Divergence): boolean => field === DEATH_FIELD;

/** Nothing more can be learnt of it. */
const isWorkedOut = ({ shrunk, shown, entry }: Occurrence): boolean =>
  shown !== undefined && (shrunk === 'wholly' || isDeath(entry.divergence) || shown < RERUNS);
