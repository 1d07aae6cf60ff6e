/**
 * How the programs of a shard are cut into batches. Program k belongs to shard k mod n; batch b of a shard is a run of
 * consecutive programs of it. Both are pure functions of the options: whoever counts batches knows which programs ran.
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
 * Batches grow: a short run ends soon after its time and wastes no worker, a long one does not drown in records. Up to which
 * batch, and how many times as large as the first ones.
 */
const SIZES = [
  { before: 64, times: 1 },
  { before: 1024, times: 8 },
  { before: Infinity, times: 64 },
] as const;

/**
 * Programs in each of the first batches: one should take a moment, and be long enough that making its machines takes little of it.
 * A program behind a pipe takes longer.
 */
export const smallestBatch = (kind: 'in-process' | 'external'): number => (kind === 'in-process' ? 512 : 32);

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
