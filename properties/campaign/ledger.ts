/**
 * What a run knows: the sum of its events. Adding an event again changes nothing, and neither does the order, so a run may be killed at
 * any moment and resumed, and the ledgers of shards merge in any order.
 */

import { signatureOf } from '../divergence.js';
import type { Finding } from '../finding.js';
import { SHRINK_EXTENTS, isSteady } from '../finding.js';
import { compareWorth } from '../formats/program-format.js';
import { INVARIANTS } from '../invariants/invariants.js';
import type { Invariant } from '../invariants/invariant.js';
import type { TallyCounts } from '../tally.js';
import { Tally, addCounts, countsOf, sameShape } from '../tally.js';
import type { Reach } from './batch.js';
import { KEPT_FINDINGS } from './batch.js';
import { BatchSet } from './batches.js';
import { CellNumbers } from './cells.js';
import type { BatchEvent, CanaryEvent, CorpusEvent, Event, RetryEvent, ShardEvent } from './events.js';
import { findingToJson } from './events.js';
import type { Rarity } from './residual-risk.js';

/** What the batches of one shard add up to. */
export class ShardSum {
  readonly batches = new BatchSet();
  readonly tally: Tally;
  /** Programs that showed each signature. */
  readonly signatures = new Map<string, number>();
  programs = 0;
  /** Milliseconds of exploring. */
  elapsed = 0;
  /** It is complete; otherwise it still runs, or was cut off. */
  ended = false;

  constructor(invariants: readonly Invariant[]) {
    this.tally = new Tally(invariants);
  }

  addBatch({ batch, programs, elapsed, counts, signatures }: BatchEvent): void {
    if (this.batches.has(batch)) return;
    this.batches.add(batch);
    this.programs += programs;
    this.elapsed = Math.max(this.elapsed, elapsed);
    addCounts(this.tally, counts);
    for (const [signature, count] of Object.entries(signatures)) addTo(this.signatures, signature, count);
  }

  addShard({ batches, programs, elapsed, ended, counts, signatures }: ShardEvent): void {
    for (const span of batches) this.batches.addSpan(span);
    this.programs = programs;
    this.elapsed = elapsed;
    this.ended = ended;
    addCounts(this.tally, counts);
    for (const [signature, count] of Object.entries(signatures)) this.signatures.set(signature, count);
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
}

export class Ledger {
  readonly shards = new Map<number, ShardSum>();
  readonly findings = new KeptFindings();
  readonly firstReached: FirstReached;
  /** By file. */
  readonly corpus = new Map<string, CorpusEvent>();
  /** By its JSON. */
  readonly retries = new Map<string, RetryEvent>();
  canary: CanaryEvent | undefined = undefined;
  private readonly invariants: readonly Invariant[];
  private noCounts: TallyCounts | undefined = undefined;

  /** `invariants`: those that the run checks. `edges`: how many the subject counts. */
  constructor(invariants: readonly Invariant[] = INVARIANTS, edges = 0) {
    this.invariants = invariants;
    this.firstReached = new FirstReached(new CellNumbers(invariants, edges));
  }

  add(event: Event): void {
    switch (event.kind) {
      case 'campaign':
        return;
      case 'begin':
        this.shard(event.shard);
        return;
      case 'batch':
        this.shard(event.shard).addBatch(event);
        for (const reach of event.reached ?? []) this.firstReached.add(reach);
        return;
      case 'shard':
        return this.addShard(event);
      case 'reach':
        return this.firstReached.add(event);
      case 'finding':
        return this.findings.add(event.finding);
      case 'corpus':
        return this.addCorpus(event);
      case 'canary':
        return this.addCanary(event);
      case 'retry':
        this.retries.set(JSON.stringify(event), event);
        return;
      case 'end':
        this.shard(event.shard).ended = true;
        return;
      default:
        return event satisfies never;
    }
  }

  /** Whether counts are of the invariants that the run checks; others must not be added. */
  fits(counts: TallyCounts): boolean {
    return sameShape((this.noCounts ??= countsOf(new Tally(this.invariants))), counts);
  }

  /** Events that add up to the same ledger, in an order of their own. */
  events(): readonly Event[] {
    const shards = [...this.shards].toSorted(([one], [other]) => one - other);
    return [
      ...(this.canary === undefined ? [] : [this.canary]),
      ...[...this.corpus.values()].toSorted((one, other) => (one.file < other.file ? -1 : 1)),
      ...shards.map(([index, sum]) => sum.toEvent(index)),
      ...[...this.retries.values()].toSorted(compareJson),
      ...this.firstReached.list().map(({ program, cells }): Event => ({ kind: 'reach', program, cells: [...cells] })),
      ...this.findings.list().flatMap((kept) => kept.map((finding): Event => ({ kind: 'finding', finding }))),
    ];
  }

  get programs(): number {
    return [...this.shards.values()].reduce((sum, { programs }) => sum + programs, 0);
  }

  /** All shards together. */
  tally(): Tally {
    const tally = new Tally(this.invariants);
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
    const sum = this.shards.get(index) ?? new ShardSum(this.invariants);
    this.shards.set(index, sum);
    return sum;
  }

  /** Of two sums of one shard the one with more programs stands. */
  private addShard(event: ShardEvent): void {
    const current = this.shards.get(event.shard)?.toEvent(event.shard);
    if (current !== undefined && !reachesFurther(event, current)) return;
    const sum = new ShardSum(this.invariants);
    sum.addShard(event);
    this.shards.set(event.shard, sum);
  }

  /** Of two verdicts the worse one stands, and any instead of "not-run"; "as-recorded" comes first in the alphabet. */
  private addCorpus(event: CorpusEvent): void {
    const current = this.corpus.get(event.file);
    const rank = (each: CorpusEvent): readonly unknown[] => [each.verdict !== 'not-run', each.verdict, each];
    if (current === undefined || compareJson(rank(event), rank(current)) > 0) this.corpus.set(event.file, event);
  }

  /** A canary that any shard missed was missed. */
  private addCanary(event: CanaryEvent): void {
    const { canary } = this;
    if (canary === undefined || compareJson([!event.caught, event], [!canary.caught, canary]) > 0) this.canary = event;
  }
}

/**
 * The findings of a campaign. Of each signature it keeps those whose programs have the smallest numbers, at most `KEPT_FINDINGS`: the
 * smallest of a union are among the smallest of its parts, so merged shards end with what one run of all programs would have kept.
 */
class KeptFindings {
  private readonly bySignature = new Map<string, readonly Finding[]>();

  get size(): number {
    return this.bySignature.size;
  }

  add(finding: Finding): void {
    const signature = signatureOf(finding.divergence);
    const kept = [...this.of(signature)];
    const same = kept.findIndex((each) => programNumber(each) === programNumber(finding));
    if (same < 0) kept.push(finding);
    else if (compareWork(finding, kept[same]) < 0) kept[same] = finding;
    kept.sort((one, other) => programNumber(one) - programNumber(other));
    this.bySignature.set(signature, kept.slice(0, KEPT_FINDINGS));
  }

  /** Those of one signature, by program number. */
  of(signature: string): readonly Finding[] {
    return this.bySignature.get(signature) ?? [];
  }

  /** Those of each signature, in the order in which one run would have met them. */
  list(): readonly (readonly Finding[])[] {
    const all = [...this.bySignature].toSorted(
      ([signature, [one]], [otherSignature, [other]]) =>
        programNumber(one) - programNumber(other) || (signature < otherSignature ? -1 : 1),
    );
    return all.map(([, kept]) => kept);
  }

  /** For each signature with `KEPT_FINDINGS` findings, the largest of their program numbers. */
  enough(): Readonly<Record<string, number>> {
    const full = [...this.bySignature].filter(([, kept]) => kept.length === KEPT_FINDINGS);
    return Object.fromEntries(full.map(([signature, kept]) => [signature, programNumber(kept.at(-1)!)]));
  }
}

const programNumber = ({ provenance }: Finding): number => provenance.program;

/** Which of the findings of one signature stands for it: the first that always shows; failing that the first. */
export const representative = (kept: readonly Finding[]): Finding => kept.find(isSteady) ?? kept[0];

/** Negative if the first is the one to keep, of two for the same program: the one that more work was done on. */
const compareWork = (one: Finding, other: Finding): number =>
  workOn(other) - workOn(one) ||
  Number(one.shown === undefined) - Number(other.shown === undefined) ||
  compareWorth(one.case.program, other.case.program) ||
  // Whatever else differs: the order must be total, or which of two is kept would depend on which came first.
  compareJson(findingToJson(one), findingToJson(other));

const workOn = ({ shrunk }: Finding): number => (shrunk === undefined ? -1 : SHRINK_EXTENTS.indexOf(shrunk));

/**
 * For each cell (cells.ts) the programs with the smallest numbers that reached it, as many as it keeps: the smallest of a union, so the order
 * and number of reports do not matter, nor which shard they come from.
 */
export class FirstReached {
  private readonly numbers: CellNumbers;
  /** Numbers of programs, ascending, by cell. */
  private readonly byCell = new Map<number, readonly number[]>();
  /** All cells that want no more programs, ascending, and the largest number of these; undefined if that is not known. */
  private settled: { readonly cells: readonly number[]; readonly last: number } | undefined = undefined;

  constructor(numbers: CellNumbers) {
    this.numbers = numbers;
  }

  add({ program, cells }: Reach): void {
    for (const cell of cells) {
      const known = this.byCell.get(cell) ?? [];
      if (known.includes(program) || (this.isFull(cell, known) && program > known.at(-1)!)) continue;
      const all = [...known, program].toSorted((one, other) => one - other);
      this.byCell.set(cell, all.slice(0, this.numbers.keeps(cell)));
      this.settled = undefined;
    }
  }

  /** Cells with their programs, in no order. */
  entries(): Iterable<readonly [cell: number, programs: readonly number[]]> {
    return this.byCell;
  }

  /** How rare those edges are that programs reached. */
  edges(): Rarity {
    const { edges } = this.numbers;
    const start = this.numbers.rowStart(0);
    const reachedBy = [0, 0, 0, 0];
    for (let edge = 0; edge < edges; edge++) reachedBy[this.byCell.get(start + edge)?.length ?? 0]++;
    const [left, once, twice] = reachedBy;
    return { reached: edges - left, once, twice, left };
  }

  /** Each program once, by its number. */
  list(): readonly Reach[] {
    const byProgram = new Map<number, number[]>();
    for (const [cell, programs] of this.byCell) {
      for (const program of programs) {
        const cells = byProgram.get(program) ?? [];
        byProgram.set(program, cells);
        cells.push(cell);
      }
    }
    return [...byProgram]
      .toSorted(([one], [other]) => one - other)
      .map(([program, cells]) => ({ program, cells: cells.toSorted((one, other) => one - other) }));
  }

  /** Cells all of whose programs have smaller numbers, ascending. */
  settledBefore(program: number): readonly number[] {
    const { cells, last } = (this.settled ??= this.fullCells());
    return last < program ? cells : cells.filter((cell) => this.byCell.get(cell)!.at(-1)! < program);
  }

  private fullCells(): { readonly cells: readonly number[]; readonly last: number } {
    const full = [...this.byCell].filter(([cell, programs]) => this.isFull(cell, programs));
    const cells = full.map(([cell]) => cell).toSorted((one, other) => one - other);
    return { cells, last: full.reduce((largest, [, programs]) => Math.max(largest, programs.at(-1)!), -1) };
  }

  private isFull(cell: number, programs: readonly number[]): boolean {
    return programs.length === this.numbers.keeps(cell);
  }
}

const reachesFurther = (one: ShardEvent, other: ShardEvent): boolean => {
  if (one.programs !== other.programs) return one.programs > other.programs;
  if (one.ended !== other.ended) return one.ended;
  return compareJson(one, other) < 0;
};

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** Any order will do, as long as it is total. */
const compareJson = (one: unknown, other: unknown): number => compareText(JSON.stringify(one), JSON.stringify(other));

const addTo = (sums: Map<string, number>, key: string, count: number): void => {
  sums.set(key, (sums.get(key) ?? 0) + count);
};

const sortedRecord = (sums: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...sums].toSorted(([one], [other]) => (one < other ? -1 : 1)));
