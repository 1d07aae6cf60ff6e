/**
 * How the programs of a shard are cut into batches. Program k belongs to shard k mod n; batch b of a shard is a run of
 * consecutive programs of it. Both are pure functions of the options, so a set of batches determines which programs ran.
 */

/** One of `of` shards, counted from 0. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** Programs `first`, `first + stride`, …: `count` of them. */
export interface ProgramRange {
  readonly first: number;
  readonly stride: number;
  readonly count: number;
}

export interface Batches {
  readonly shard: Shard;
  /** Programs of the whole campaign; may be infinite. */
  readonly programs: number;
  /** Programs in each of the first batches. */
  readonly smallest: number;
}

/**
 * Batches grow: a short run ends soon after its time and leaves no worker idle, and a long one does not write too many records.
 * `times`: how many times as large as the first ones they are, before this batch.
 */
const SIZES = [
  { before: 64, times: 1 },
  { before: 1024, times: 8 },
  { before: Infinity, times: 64 },
] as const;

/**
 * Programs in each of the first batches: few enough that a batch takes well under a second, many enough that making its machines takes
 * little of that. A program behind a pipe may take seconds, and a run ends only between batches. Every program that diverges needs two
 * fresh machines, and one in WebAssembly, with its memory, takes tens of milliseconds to make.
 */
export const SMALLEST_BATCH = { own: 512, file: 16, command: 4 } as const;

/** The place within its shard of the first program of batch `batch`. */
const startOf = (batch: number, { smallest }: Batches): number => {
  let start = 0;
  let from = 0;
  for (const { before, times } of SIZES) {
    start += smallest * times * Math.max(0, Math.min(batch, before) - from);
    from = before;
  }
  return start;
};

/** How many of the campaign's programs belong to the shard; may be infinite. */
export const programsOfShardWithin = ({ index, of }: Shard, programs: number): number =>
  programs === Infinity ? Infinity : Math.max(0, Math.ceil((programs - index) / of));

/** The programs of a batch; nothing behind the last one. */
export const rangeOf = (batch: number, batches: Batches): ProgramRange | undefined => {
  const { shard, programs } = batches;
  const start = startOf(batch, batches);
  const end = Math.min(startOf(batch + 1, batches), programsOfShardWithin(shard, programs));
  if (end <= start) return undefined;
  return { first: shard.index + start * shard.of, stride: shard.of, count: end - start };
};

/** From, to: both included. */
export type BatchSpan = readonly [number, number];

/** Which batches of a shard are done: nearly always all up to some number, and a few beyond it. */
export class BatchSet {
  /** Ascending, with gaps between them. */
  private done: readonly BatchSpan[] = [];

  has(batch: number): boolean {
    return this.done.some(([from, to]) => from <= batch && batch <= to);
  }

  add(batch: number): void {
    if (!this.has(batch)) this.addSpan([batch, batch]);
  }

  /** The first batch from this one on that is not in the set. */
  firstMissing(from: number): number {
    const span = this.done.find(([start, end]) => start <= from && from <= end);
    return span === undefined ? from : span[1] + 1;
  }

  /** As long as it may be, a span takes no more time than a batch. */
  addSpan([from, to]: BatchSpan): void {
    const before = this.done.filter(([, end]) => end < from - 1);
    const after = this.done.filter(([start]) => start > to + 1);
    const touching = this.done.slice(before.length, this.done.length - after.length);
    const start = Math.min(from, touching[0]?.[0] ?? from);
    const end = Math.max(to, touching.at(-1)?.[1] ?? to);
    this.done = [...before, [start, end], ...after];
  }

  /** Ascending, with gaps between them. */
  spans(): readonly BatchSpan[] {
    return this.done;
  }
}
