/**
 * Running one batch of a campaign. What it counts and finds is a pure function of the campaign and of the numbers of its programs:
 * not of the batches before it, the worker, or the shard.
 */

import type { Program } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { Finding } from '../finding.js';
import type { Case } from '../generators/index.js';
import type { JudgeOptions } from '../judging.js';
import { Pair } from '../pair.js';
import type { ExternalSubject } from '../subjects/subject.js';
import type { Tally, TallyCounts } from '../tally.js';
import { countsOf } from '../tally.js';
import type { ProgramRange } from './batches.js';
import { NewCells } from './cells.js';
import type { CampaignOptions, Generated, Upcoming } from './programs.js';
import { divergencesOf, programsOf, runOptionsOf, upcoming } from './programs.js';

/** Findings kept of each signature: those of the programs with the smallest numbers. */
export const KEPT_FINDINGS = 3;

export interface BatchOptions extends JudgeOptions, CampaignOptions {
  /** For the provenance of findings: when the run began (ISO 8601, UTC), and the version that runs it. */
  readonly date: string;
  readonly version: string;
}

export interface BatchTask {
  readonly range: ProgramRange;
  /** Programs that kill every worker: they are counted, and not run. */
  readonly skip: readonly number[];
  /** For a signature with enough findings: the largest of their program numbers. Later programs are only counted. */
  readonly enough: Readonly<Record<string, number>>;
  /** Cells (cells.ts) all of whose kept programs are known; left out: no cells are reported. */
  readonly settled?: readonly number[] | undefined;
  readonly limit?: KindLimit | undefined;
  /** Something else ends this process if a machine in it hangs, so its programs need no time limit of their own. */
  readonly unlimited?: boolean;
  /**
   * A program kills the worker, and it is to be found out which: none is generated before the one before it was judged, and each is
   * reported before it begins, even if the process dies right away. It takes longer.
   */
  readonly careful?: boolean | undefined;
}

/** Ends a batch with the program that brings the number of new signatures to `kinds`. Further ones that it shows do not count. */
export interface KindLimit {
  readonly kinds: number;
  /** Signatures that are not new. */
  readonly ignored: readonly string[];
}

/** A program that was among the first of its batch to reach these cells (cells.ts), which are ascending. */
export interface Reach {
  readonly program: number;
  readonly cells: readonly number[];
}

export interface BatchResult {
  /** Programs of the range up to the end or the limit, skipped ones included. */
  readonly programs: number;
  readonly counts: TallyCounts;
  /** Programs that showed each signature. */
  readonly signatures: Readonly<Record<string, number>>;
  /** At most `KEPT_FINDINGS` of each signature, by number of their programs. */
  readonly findings: readonly Finding[];
  /** By number of the programs. */
  readonly reached: readonly Reach[];
}

/** Awaited before every program. */
export type BatchWatcher = (program: number) => void | Promise<void>;

export const runBatch = async (options: BatchOptions, task: BatchTask, watch: BatchWatcher): Promise<BatchResult> =>
  await new Batch(options, task).run(watch);

/** The pair that the last batch of this process left behind. Allocating a machine takes longer than running many programs. */
let idle: { readonly options: BatchOptions; readonly unlimited: boolean; readonly pair: Pair } | undefined;

/** A pair that has counted nothing: the idle one if it has the same sides and invariants. */
const takePair = (options: BatchOptions, unlimited: boolean): Pair => {
  const taken = idle;
  idle = undefined;
  const { model, subject, invariants, profile } = options;
  const fits =
    taken?.unlimited === unlimited &&
    taken.options.model === model &&
    taken.options.subject === subject &&
    taken.options.profile === profile &&
    invariants.length === taken.options.invariants.length &&
    invariants.every((invariant, index) => invariant === taken.options.invariants[index]);
  if (!fits) return new Pair({ model, subject, invariants, profile, unlimited });
  taken.pair.tally.clear();
  return taken.pair;
};

/** Where a finding comes from: the sides by name, and the run for the provenance. */
type Origin = Pick<BatchOptions, 'campaign' | 'date' | 'version' | 'profile'> & Pick<Finding, 'subject' | 'reference'>;

/** A program of a campaign as a finding. */
export const findingOf = (
  { campaign, date, version, profile = 'lguest', subject, reference }: Origin,
  program: number,
  originalSteps: number,
  found: Case,
  divergence: Divergence,
): Finding => ({
  status: 'open',
  subject,
  reference,
  ...(profile === 'lguest' ? {} : { profile }),
  case: found,
  divergence,
  provenance: { date, version, seed: campaign, program, originalSteps },
  note: '',
});

/** Programs of a campaign that this process gave to others, by identity. */
const numbers = new WeakMap<Program, { readonly campaign: string; readonly program: number }>();

/** The programs that a process has run, for a finding: those of the campaign by number. */
export const historyOf = (programs: readonly Program[], campaign: string): readonly (number | Program)[] =>
  programs.map((each) => numberIn(campaign, each) ?? each);

/** This process gave a program to another, as a part of a campaign. */
export const isNumbered = (program: Program): boolean => numbers.has(program);

/** The number of a program in a campaign, if this process gave it to another as a part of that campaign. */
export const numberIn = (campaign: string, program: Program): number | undefined => {
  const known = numbers.get(program);
  return known?.campaign === campaign ? known.program : undefined;
};

class Batch {
  private readonly options: BatchOptions;
  private readonly task: BatchTask;
  private readonly unlimited: boolean;
  private readonly tally: Tally;
  private pair: Pair;
  private readonly signatures = new Map<string, number>();
  private readonly kept = new Map<string, number>();
  private readonly findings: Finding[] = [];
  private readonly ignored: ReadonlySet<string>;
  private newKinds = 0;
  private newCells: NewCells | undefined = undefined;
  private readonly reached: Reach[] = [];

  constructor(options: BatchOptions, task: BatchTask) {
    this.options = options;
    this.task = task;
    this.unlimited = task.unlimited ?? false;
    this.pair = takePair(options, this.unlimited);
    this.tally = this.pair.tally;
    this.ignored = new Set(task.limit?.ignored);
  }

  async run(watch: BatchWatcher): Promise<BatchResult> {
    const { range, skip, limit, careful, settled } = this.task;
    const skipped = new Set(skip);
    const ahead = await this.pair.start();
    if (settled !== undefined) this.newCells = new NewCells(this.tally, settled, this.pair.edgeCount);
    const programs = upcoming({ ...range, skipped }, this.numbering(), this.pair, careful === true ? 0 : ahead);
    let place = 0;
    for (; place < range.count && this.newKinds < (limit?.kinds ?? Infinity); place++) {
      const program = range.first + place * range.stride;
      if (skipped.has(program)) continue;
      await watch(program);
      await this.runProgram(programs.next().value!);
    }
    const { findings, reached, options, unlimited, pair } = this;
    idle = { options, unlimited, pair };
    return {
      programs: place,
      counts: countsOf(this.tally),
      signatures: Object.fromEntries([...this.signatures].toSorted(([one], [other]) => (one < other ? -1 : 1))),
      findings,
      reached,
    };
  }

  /** A side that is not in this process. */
  private get outside(): ExternalSubject | undefined {
    const { subject, model } = this.options;
    return [subject, model].find((side) => side.kind === 'external');
  }

  /** Numbers each program that it generates, if a process outside this one remembers which it ran. */
  private numbering(): (program: number) => Generated {
    const { campaign } = this.options;
    const programs = programsOf(this.options);
    if (this.outside === undefined) return programs;
    return (program) => {
      const generated = programs(program);
      numbers.set(generated.value.program, { campaign, program });
      return generated;
    };
  }

  /** Only the first run of a program counts in the tally. */
  private async runProgram({ program, generated, asked }: Upcoming): Promise<void> {
    const how = runOptionsOf(program, generated.value, this.options.judge);
    const divergence = await this.pair.run(generated.value.program, how, asked);
    const cells = this.newCells?.take(this.pair.reachedEdges) ?? [];
    if (cells.length > 0) this.reached.push({ program, cells });
    if (divergence === undefined) return;
    // Machines are reused because making them takes longer than running a program. One that diverged is replaced: what it left
    // behind must not reach the next program.
    this.pair = new Pair({ ...this.options, tally: this.tally, unlimited: this.unlimited });
    const history = this.historyBefore(generated.value.program);
    const signatures = new Set<string>();
    const { invariant } = divergence;
    for await (const shown of divergencesOf(
      new Pair(this.options),
      program,
      generated,
      invariant,
      this.options.profile,
    )) {
      signatures.add(signatureOf(shown.divergence));
      this.add(program, shown.generated.value, shown.divergence, generated, history);
    }
    // It does not show on fresh machines: keep it all the same. Running it again will find it flaky.
    if (!signatures.has(signatureOf(divergence))) this.add(program, generated.value, divergence, generated, history);
  }

  /** What the process outside this one had run before a program; undefined if both sides are in this one. */
  private historyBefore(program: Program): Finding['history'] {
    const { outside } = this;
    return outside && historyOf(outside.seenBefore?.(program) ?? [], this.options.campaign);
  }

  private add(
    program: number,
    found: Case,
    divergence: Divergence,
    generated: Generated,
    history: Finding['history'],
  ): void {
    const signature = signatureOf(divergence);
    if (!this.signatures.has(signature) && !this.ignored.has(signature)) {
      if (this.newKinds === this.task.limit?.kinds) return;
      this.newKinds++;
    }
    this.signatures.set(signature, (this.signatures.get(signature) ?? 0) + 1);
    const kept = this.kept.get(signature) ?? 0;
    if (kept >= KEPT_FINDINGS || program > (this.task.enough[signature] ?? Infinity)) return;
    this.kept.set(signature, kept + 1);
    const { subject, model } = this.options;
    const origin = { ...this.options, subject: subject.name, reference: model.name };
    const finding = findingOf(origin, program, generated.value.program.steps.length, found, divergence);
    this.findings.push(history === undefined ? finding : { ...finding, history });
  }
}
