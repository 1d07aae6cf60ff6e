/** Which batches of a shard are done: nearly always all up to some number, and a few beyond it. */

/** From, to: both included. */
export type BatchSpan = readonly [number, number];

export class BatchSet {
  /** All below are done. */
  private below = 0;
  private readonly beyond = new Set<number>();

  has(batch: number): boolean {
    return batch < this.below || this.beyond.has(batch);
  }

  add(batch: number): void {
    if (this.has(batch)) return;
    this.beyond.add(batch);
    while (this.beyond.delete(this.below)) this.below++;
  }

  /** Ascending, with gaps between them. */
  spans(): readonly BatchSpan[] {
    const spans: [number, number][] = this.below === 0 ? [] : [[0, this.below - 1]];
    for (const batch of [...this.beyond].toSorted((one, other) => one - other)) {
      const last = spans.at(-1);
      if (last?.[1] === batch - 1) last[1] = batch;
      else spans.push([batch, batch]);
    }
    return spans;
  }
}
