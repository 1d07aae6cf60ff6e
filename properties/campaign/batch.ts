/**
 * Running one batch of a campaign. What it counts and finds is a pure function of the campaign and of the numbers of its programs:
 * not of its neighbours, the worker, or the shard.
 */

import type { Case } from '../generators/index.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { CampaignOptions, Generated, Shown } from '../explore.js';
import { programsOf, runOptionsOf, showings } from '../explore.js';
import type { JudgeOptions } from '../judging.js';
import { Pair } from '../pair.js';
import { NewCells } from '../pool/distil.js';
import { Tally, countsOf } from '../tally.js';
import type { TallyCounts } from '../tally.js';
import type { ProgramRange } from './batches.js';

/** Of each signature so many programs are kept, those with the smallest numbers. */
export const KEPT_PROGRAMS = 3;

export interface BatchOptions extends JudgeOptions, CampaignOptions {
  readonly campaign: string;
}

export interface BatchTask {
  readonly range: ProgramRange;
  /** Programs that no worker survives: they are counted, and not run. */
  readonly skip: readonly number[];
  /** For a signature of which enough programs are known: the largest number of those. Later ones are only counted. */
  readonly enough: Readonly<Record<string, number>>;
  /** Situation cells of which it need not be told who reached them; left out, nobody asks about any. */
  readonly settled?: readonly number[] | undefined;
}

/** A program that was the first of its batch to reach these situation cells, which are ascending. */
export interface Reach {
  readonly program: number;
  readonly cells: readonly number[];
}

/** A program that showed a signature, as it was when it diverged. */
export interface Raw {
  /** Its number in the campaign, and its steps before any of them was left out. */
  readonly program: number;
  readonly originalSteps: number;
  readonly case: Case;
  readonly divergence: Divergence;
}

/** What a batch has to say of one signature. */
export interface Sighting {
  readonly signature: string;
  /** Programs that showed it. */
  readonly count: number;
  /** The first of them, at most `KEPT_PROGRAMS`. */
  readonly first: readonly Raw[];
}

export interface BatchResult {
  readonly programs: number;
  readonly counts: TallyCounts;
  /** By signature. */
  readonly sightings: readonly Sighting[];
  /** In the order of their numbers. */
  readonly reached: readonly Reach[];
}

/** Awaited before every program. */
export type BatchWatcher = (program: number) => void | Promise<void>;

export const runBatch = async (options: BatchOptions, task: BatchTask, watch: BatchWatcher): Promise<BatchResult> =>
  await new Batch(options, task).go(watch);

class Batch {
  private readonly options: BatchOptions;
  private readonly task: BatchTask;
  private readonly tally: Tally;
  private pair: Pair;
  private readonly sightings = new Map<string, { count: number; readonly first: Raw[] }>();
  private readonly newCells: NewCells | undefined;
  private readonly reached: Reach[] = [];

  constructor(options: BatchOptions, task: BatchTask) {
    this.options = options;
    this.task = task;
    this.tally = new Tally(options.invariants);
    this.pair = new Pair({ ...options, tally: this.tally });
    this.newCells = task.settled === undefined ? undefined : new NewCells(this.tally, task.settled);
  }

  async go(watch: BatchWatcher): Promise<BatchResult> {
    const { range, skip } = this.task;
    const programs = programsOf(this.options.campaign, this.options);
    const skipped = new Set(skip);
    for (let place = 0; place < range.count; place++) {
      const program = range.first + place * range.stride;
      if (skipped.has(program)) continue;
      await watch(program);
      await this.run(program, programs(program));
    }
    const sightings = [...this.sightings].map(([signature, sighting]): Sighting => ({ signature, ...sighting }));
    sightings.sort((one, other) => (one.signature < other.signature ? -1 : 1));
    return { programs: range.count, counts: countsOf(this.tally), sightings, reached: this.reached };
  }

  /** Only the first run of a program is counted in the tally. */
  private async run(program: number, generated: Generated): Promise<void> {
    const divergence = await this.pair.run(generated.value.program, runOptionsOf(program, generated.value));
    const cells = this.newCells?.take() ?? [];
    if (cells.length > 0) this.reached.push({ program, cells });
    if (divergence === undefined) return;
    // Machines are used again because making them takes longer than running a program. One that went wrong is not: what it left
    // behind must not reach the next program, and what a program shows must not depend on what ran before it.
    this.pair = new Pair({ ...this.options, tally: this.tally });
    const signatures = new Set<string>();
    for await (const shown of showings(new Pair(this.options), program, generated)) {
      signatures.add(shown.signature);
      this.take(program, shown, generated);
    }
    const signature = signatureOf(divergence);
    // Running it again will tell that it does not show by itself.
    if (!signatures.has(signature)) this.take(program, { signature, divergence, found: generated }, generated);
  }

  private take(program: number, { signature, divergence, found }: Shown, generated: Generated): void {
    const sighting = this.sightings.get(signature) ?? { count: 0, first: [] };
    this.sightings.set(signature, sighting);
    sighting.count++;
    if (sighting.first.length >= KEPT_PROGRAMS || program > (this.task.enough[signature] ?? Infinity)) return;
    const originalSteps = generated.value.program.steps.length;
    sighting.first.push({ program, originalSteps, case: found.value, divergence });
  }
}
