/**
 * What a run knows: the sum of its events. Adding an event a second time changes nothing, and neither does the order, so a run may
 * be killed at any moment and taken up again, and the ledgers of shards merge in any order.
 */

import { INVARIANTS } from '../invariants/invariants.js';
import { Tally, addCounts, countsOf } from '../tally.js';
import { BatchSet } from './batch-set.js';
import { Discoveries } from './discoveries.js';
import type { AccidentEvent, BatchEvent, CanaryEvent, CorpusEvent, Event, ShardEvent } from './event.js';
import { FirstReached } from './first-reached.js';

/** What the batches of one shard add up to. */
export class ShardSum {
  readonly batches = new BatchSet();
  readonly tally = new Tally(INVARIANTS);
  /** Programs that showed each signature. */
  readonly signatures = new Map<string, number>();
  programs = 0;
  /** Milliseconds of exploring. */
  elapsed = 0;
  /** It came to its end; otherwise it still runs, or was cut off. */
  ended = false;

  take({ batch, programs, elapsed, counts, sightings }: BatchEvent): void {
    if (this.batches.has(batch)) return;
    this.batches.add(batch);
    this.programs += programs;
    this.elapsed = Math.max(this.elapsed, elapsed);
    addCounts(this.tally, counts);
    for (const { signature, count } of sightings) addTo(this.signatures, signature, count);
  }

  toEvent(shard: number): ShardEvent {
    return {
      kind: 'shard',
      shard,
      batches: this.batches.spans().map(([from, to]) => [from, to]),
      programs: this.programs,
      elapsed: this.elapsed,
      ended: this.ended,
      counts: countsOf(this.tally),
      signatures: sortedRecord(this.signatures),
    };
  }

  static of({ batches, programs, elapsed, ended, counts, signatures }: ShardEvent): ShardSum {
    const sum = new ShardSum();
    for (const [from, to] of batches) for (let batch = from; batch <= to; batch++) sum.batches.add(batch);
    sum.programs = programs;
    sum.elapsed = elapsed;
    sum.ended = ended;
    addCounts(sum.tally, counts);
    for (const [signature, count] of Object.entries(signatures)) sum.signatures.set(signature, count);
    return sum;
  }
}

export class Ledger {
  readonly shards = new Map<number, ShardSum>();
  readonly discoveries = new Discoveries();
  readonly firstReached = new FirstReached();
  /** By file. */
  readonly corpus = new Map<string, CorpusEvent>();
  readonly accidents: AccidentEvent[] = [];
  canary: CanaryEvent | undefined = undefined;

  take(event: Event): void {
    switch (event.kind) {
      case 'begin':
        this.shard(event.shard);
        return;
      case 'batch':
        this.shard(event.shard).take(event);
        for (const { first } of event.sightings) for (const each of first) this.discoveries.add(each);
        for (const each of event.reached ?? []) this.firstReached.add(each);
        return;
      case 'shard':
        return this.takeShard(event);
      case 'reach':
        return this.firstReached.add(event);
      case 'occurrence':
        return this.discoveries.add(event.occurrence);
      case 'corpus':
        return this.takeCorpus(event);
      case 'canary':
        return this.takeCanary(event);
      case 'accident':
        return this.takeAccident(event);
      case 'end':
        this.shard(event.shard).ended = true;
        return;
      default:
        return event satisfies never;
    }
  }

  /** The events that say the same as all that were taken, in an order of their own. */
  events(): readonly Event[] {
    const shards = [...this.shards].toSorted(([one], [other]) => one - other);
    return [
      ...(this.canary === undefined ? [] : [this.canary]),
      ...[...this.corpus.values()].toSorted((one, other) => (one.file < other.file ? -1 : 1)),
      ...shards.map(([index, sum]) => sum.toEvent(index)),
      ...this.accidents.toSorted(compareText),
      ...this.firstReached
        .list()
        .map((reach): Event => ({ kind: 'reach', program: reach.program, cells: [...reach.cells] })),
      ...this.discoveries
        .list()
        .flatMap(({ occurrences }) => occurrences.map((occurrence): Event => ({ kind: 'occurrence', occurrence }))),
    ];
  }

  get programs(): number {
    return [...this.shards.values()].reduce((sum, { programs }) => sum + programs, 0);
  }

  /** All shards together. */
  tally(): Tally {
    const tally = new Tally(INVARIANTS);
    for (const shard of this.shards.values()) addCounts(tally, countsOf(shard.tally));
    return tally;
  }

  /** Programs that showed each signature, in all shards. */
  signatures(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { signatures } of this.shards.values()) {
      for (const [signature, count] of signatures) addTo(sums, signature, count);
    }
    return sums;
  }

  shard(index: number): ShardSum {
    const sum = this.shards.get(index) ?? new ShardSum();
    this.shards.set(index, sum);
    return sum;
  }

  /** Of two sums of one shard the one of more programs stands. */
  private takeShard(event: ShardEvent): void {
    const there = this.shards.get(event.shard)?.toEvent(event.shard);
    if (there === undefined || reachesFurther(event, there)) this.shards.set(event.shard, ShardSum.of(event));
  }

  /** Of two verdicts the worse one stands; "as-recorded" is the first of all in the alphabet. */
  private takeCorpus(event: CorpusEvent): void {
    const there = this.corpus.get(event.file);
    if (there === undefined || compareText([event.verdict, event], [there.verdict, there]) > 0) {
      this.corpus.set(event.file, event);
    }
  }

  /** One that some shard missed was missed. */
  private takeCanary(event: CanaryEvent): void {
    const there = this.canary;
    if (there === undefined || compareText([!event.caught, event], [!there.caught, there]) > 0) this.canary = event;
  }

  private takeAccident(event: AccidentEvent): void {
    if (!this.accidents.some((each) => compareText(each, event) === 0)) this.accidents.push(event);
  }
}

const reachesFurther = (one: ShardEvent, other: ShardEvent): boolean => {
  if (one.programs !== other.programs) return one.programs > other.programs;
  if (one.ended !== other.ended) return one.ended;
  return compareText(one, other) < 0;
};

/** As JSON: any order will do, as long as it is total. */
const compareText = (one: unknown, other: unknown): number => {
  const [text, otherText] = [JSON.stringify(one), JSON.stringify(other)];
  return text < otherText ? -1 : text > otherText ? 1 : 0;
};

const addTo = (sums: Map<string, number>, key: string, count: number): void => {
  sums.set(key, (sums.get(key) ?? 0) + count);
};

const sortedRecord = (sums: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...sums].toSorted(([one], [other]) => (one < other ? -1 : 1)));
