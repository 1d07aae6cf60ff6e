/**
 * Shrinks what was found, and runs each finding again from the program that will be stored. Of each signature the first finding is worked
 * out, even when the time for shrinking is up. As far as it allows, a few further ones follow, and those of known findings, because another
 * bug may have the same signature (properties/namesakes.ts).
 */

import type { BatchTask } from '../../properties/campaign/batch.js';
import { failureDivergence, isWorkerFailure } from '../../properties/campaign/events.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Ledger } from '../../properties/campaign/ledger.js';
import type { Finding, Shown } from '../../properties/finding.js';
import {
  HURRIED_RERUN_TIME,
  RERUN_TIME,
  isFlaky,
  isFullyShrunk,
  isRunAgain,
  isSteady,
} from '../../properties/finding.js';
import type { Progress } from '../terminal/progress-display.js';
import type { RunContext } from './run-context.js';
import { MOST_ATTEMPTS, failureText } from './run-context.js';
import type { Tolerated } from './tolerance.js';

export class Shrinking {
  private readonly context: RunContext;
  /** Findings that this process has begun to work on: none is tried twice. */
  private readonly begun = new Set<string>();
  /** Workers that are shrinking; while there is one, the time of shrinking passes. */
  private busy = 0;
  /** Since when, and how long before, in milliseconds. */
  private since = 0;
  private before = 0;
  /** Of the program that became smaller last. */
  private steps: number | undefined = undefined;

  constructor(context: RunContext) {
    this.context = context;
  }

  /** The phase at the end of a run: works out every kind of finding, then further ones. */
  async run(): Promise<void> {
    await this.context.onEveryWorker(() => this.workOutNext());
    await this.context.onEveryWorker(() => this.workOutFurther());
  }

  /** Works out the next finding, and shrinks it if there is time left; false if there is none. */
  async workOutNext(): Promise<boolean> {
    const finding = this.next();
    if (finding === undefined) return false;
    const workedOut = await this.workOut(finding);
    if (workedOut !== undefined && isSteady(workedOut)) await this.context.onFinding(workedOut);
    return true;
  }

  /** Works out the next further finding, if there is time left; false if there is none. */
  private async workOutFurther(): Promise<boolean> {
    if (this.left <= 0) return false;
    const { ledger, tolerated } = this.context;
    const finding = furtherLeft(ledger, tolerated).find((each) => !this.begun.has(nameOf(each)));
    if (finding === undefined) return false;
    // Among the programs that its process had run before it, a reason is looked for only for the first finding. Running a further one again
    // is part of the search too: a run could do without.
    await this.timed(() => this.workOut({ ...finding, history: [] }));
    return true;
  }

  /** How shrinking is doing, if anything is being shrunk. */
  get progress(): Progress['shrinking'] {
    return this.busy === 0 ? undefined : { steps: this.steps, left: this.left };
  }

  /** Milliseconds that shrinking may still take; infinite without a limit. */
  private get left(): number {
    const { shrinkTime } = this.context.plan.part;
    const spent = this.before + (this.busy === 0 ? 0 : this.context.now - this.since);
    return shrinkTime === null ? Infinity : Math.max(0, shrinkTime - spent);
  }

  /**
   * Of each kind the first finding, and those after it only if it is flaky. When the time is up each kind is still run again, so that a
   * flaky one is known as such.
   */
  private next(): Finding | undefined {
    for (const kept of this.context.ledger.findings.list()) {
      if (this.context.tolerated.has(signatureOf(kept[0].divergence))) continue;
      const next = kept.find((finding) => !isFlaky(finding));
      if (next === undefined || isWorkedOut(next) || this.begun.has(nameOf(next))) continue;
      if (this.left <= 0 && next !== kept[0]) continue;
      return next;
    }
    return undefined;
  }

  private async workOut(finding: Finding): Promise<Finding | undefined> {
    this.begun.add(nameOf(finding));
    const workedOut = await this.workedOut(finding);
    if (workedOut !== undefined) this.context.record({ kind: 'finding', finding: workedOut });
    return workedOut;
  }

  /** Undefined if it is not known how often it shows. What shows sometimes is flaky, and not shrunk. */
  private async workedOut({ history = [], ...finding }: Finding): Promise<Finding | undefined> {
    const shown = await this.timesShown(finding);
    if (shown === undefined) return undefined;
    const asItIs = { ...finding, shown };
    if (this.left <= 0 || isWorkerFailure(finding.divergence)) return asItIs;
    if (isSteady(asItIs)) return await this.shrunk(asItIs, shown);
    return shown.times === 0 && history.length > 0 ? await this.behind(history, asItIs) : asItIs;
  }

  private async shrunk(finding: Finding, { times, runs }: Shown): Promise<Finding | undefined> {
    const task = { kind: 'shrink', ...this.searchOf(finding) } as const;
    const outcome = await this.timed((onSteps) => this.context.perform(task, { onSteps }));
    if (outcome.kind === 'unknown') return undefined;
    // A worker that fails while it shrinks has met another program; this one stays as it is.
    if (outcome.kind === 'failed') return finding;
    const { result } = outcome;
    if (result.kind === 'not-reproduced') return { ...finding, shown: { times, runs: runs + 1 } };
    const shown = await this.timesShown(result.finding);
    return shown === undefined ? undefined : { ...result.finding, shown };
  }

  /** It does not show by itself: perhaps behind the programs that its process had run. */
  private async behind(history: NonNullable<Finding['history']>, finding: Finding): Promise<Finding | undefined> {
    const task = { kind: 'sequence', ...this.searchOf({ ...finding, history }) } as const;
    const outcome = await this.timed((onSteps) => this.context.perform(task, { onSteps }));
    if (outcome.kind === 'unknown') return undefined;
    if (outcome.kind === 'failed' || outcome.result === undefined) return finding;
    const shown = await this.timesShown(outcome.result);
    if (shown === undefined) return undefined;
    return shown.times === 0 ? finding : { ...outcome.result, shown };
  }

  /** Counts the time of a search. That of running a finding again is not counted, because no search could do without. */
  private async timed<Result>(search: (onSteps: (steps: number) => void) => Promise<Result>): Promise<Result> {
    if (this.busy++ === 0) this.since = this.context.now;
    try {
      return await search((steps) => (this.steps = steps));
    } finally {
      if (--this.busy === 0) this.before += this.context.now - this.since;
      this.steps = undefined;
    }
  }

  private searchOf(finding: Finding) {
    const { left: time } = this;
    const { settings, plan } = this.context;
    const { maxTries: mostTries } = plan.record.campaign;
    return { settings, finding, mostTries, time: time === Infinity ? undefined : time };
  }

  private get rerunTime(): number {
    return this.left > 0 ? RERUN_TIME : HURRIED_RERUN_TIME;
  }

  /** How often a finding shows again; undefined if that is not known. */
  private async timesShown(finding: Finding): Promise<Shown | undefined> {
    if (isWorkerFailure(finding.divergence)) return await this.timesFailed(finding);
    const task = { kind: 'rerun', settings: this.context.settings, finding, time: this.rerunTime } as const;
    const outcome = await this.context.perform(task, { attempts: MOST_ATTEMPTS });
    if (outcome.kind === 'failed') this.context.leaveUndone(task, failureText(outcome));
    return outcome.kind === 'done' ? outcome.result : undefined;
  }

  private async timesFailed({ provenance, divergence }: Finding): Promise<Shown | undefined> {
    const { settings } = this.context;
    const range = { first: provenance.program, stride: 1, count: 1 };
    const batch: BatchTask = { range, skip: [], enough: {}, careful: true };
    const late = this.context.now + this.rerunTime;
    let [times, runs] = [0, 0];
    for (; isRunAgain(runs, this.context.now > late); runs++) {
      const outcome = await this.context.perform({ kind: 'batch', settings, batch });
      if (outcome.kind === 'unknown') return undefined;
      if (outcome.kind !== 'failed') continue;
      if (signatureOf(failureDivergence(outcome.how, outcome.detail)) === signatureOf(divergence)) times++;
    }
    return { times, runs };
  }
}

const nameOf = ({ provenance, divergence }: Finding): string => `${provenance.program} ${signatureOf(divergence)}`;

/** More time would not change it. */
const isWorkedOut = (finding: Finding): boolean =>
  finding.shown !== undefined && (isFullyShrunk(finding) || isWorkerFailure(finding.divergence));

/**
 * Further findings that are not worked out: of each signature all but the first that are kept, and of a known one the first too. The second
 * of every signature comes before the third of any.
 */
export const furtherLeft = (ledger: Ledger, tolerated: Tolerated): readonly Finding[] => {
  const places = ledger.findings.list().flatMap((kept) => {
    const first = tolerated.has(signatureOf(kept[0].divergence)) ? 0 : 1;
    return kept.map((finding, place) => ({ finding, place })).slice(first);
  });
  return places
    .toSorted((one, other) => one.place - other.place)
    .map(({ finding }) => finding)
    .filter((finding) => isWorthLooking(finding) && !isFlaky(finding) && !isWorkedOut(finding));
};

/** Every try of a machine that hangs takes its whole time limit. */
const isWorthLooking = ({ divergence }: Finding): boolean =>
  divergence.invariant !== 'subject-timeout' && !isWorkerFailure(divergence);
