/** Shrinks what was found, and runs each finding again from the program that will be stored. */

import type { BatchTask } from '../../properties/campaign/batch.js';
import { failureDivergence, isWorkerFailure } from '../../properties/campaign/events.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Finding } from '../../properties/finding.js';
import { RERUNS, isFlaky, isSteady } from '../../properties/finding.js';
import type { RunContext } from './run-context.js';
import { MOST_ATTEMPTS, failureText } from './run-context.js';

export class Shrinking {
  private readonly context: RunContext;
  private end: number | undefined = undefined;
  /** Findings that this process has begun to work on: none is tried twice. */
  private readonly begun = new Set<string>();

  constructor(context: RunContext) {
    this.context = context;
  }

  /** Milliseconds, infinite without a limit; undefined before the phase began. */
  get left(): number | undefined {
    return this.end === undefined ? undefined : Math.max(0, this.end - this.context.now);
  }

  /** The phase at the end of a run: works out every kind of finding, or as many as `time`, in milliseconds, allows. */
  async run(time: number): Promise<void> {
    this.end = this.context.now + time;
    await this.context.onEveryWorker(() => this.workOutNext(this.left!));
  }

  /** Works out the next finding, shrinking it for at most `time` milliseconds; false if there is none. */
  async workOutNext(time: number): Promise<boolean> {
    const finding = this.next(time);
    if (finding === undefined) return false;
    this.begun.add(nameOf(finding));
    await this.workOut(finding, time);
    return true;
  }

  /**
   * Of each kind the first finding, and those after it only if it is flaky. When the time is up each kind is still run again, so that a
   * flaky one is known as such.
   */
  private next(time: number): Finding | undefined {
    for (const kept of this.context.ledger.findings.list()) {
      if (this.context.tolerated.has(signatureOf(kept[0].divergence))) continue;
      const next = kept.find((finding) => !isFlaky(finding));
      if (next === undefined || isWorkedOut(next) || this.begun.has(nameOf(next))) continue;
      if (time <= 0 && next !== kept[0]) continue;
      return next;
    }
    return undefined;
  }

  private async workOut(finding: Finding, time: number): Promise<void> {
    const workedOut = await this.workedOut(finding, time);
    if (workedOut === undefined) return;
    this.context.record({ kind: 'finding', finding: workedOut });
    if (isSteady(workedOut)) await this.context.onFinding(workedOut);
  }

  /** Undefined if it is not known how often it shows. What shows sometimes is flaky, and not shrunk. */
  private async workedOut({ history = [], ...finding }: Finding, time: number): Promise<Finding | undefined> {
    const shown = await this.timesShown(finding, RERUNS);
    if (shown === undefined) return undefined;
    const asItIs = { ...finding, shown };
    if (time <= 0 || isWorkerFailure(finding.divergence)) return asItIs;
    if (isSteady(asItIs)) return await this.shrunk(asItIs, time);
    return shown === 0 && history.length > 0 ? await this.behind(history, asItIs, time) : asItIs;
  }

  private async shrunk(finding: Finding, time: number): Promise<Finding | undefined> {
    const outcome = await this.context.perform({ kind: 'shrink', ...this.searchOf(finding, time) });
    if (outcome.kind === 'unknown') return undefined;
    // A worker that fails while it shrinks has met another program; this one stays as it is.
    if (outcome.kind === 'failed') return finding;
    const { result } = outcome;
    if (result.kind === 'not-reproduced') return { ...finding, shown: RERUNS - 1 };
    const shown = await this.timesShown(result.finding, RERUNS);
    return shown === undefined ? undefined : { ...result.finding, shown };
  }

  /** It does not show by itself: perhaps behind the programs that its process had run. */
  private async behind(
    history: NonNullable<Finding['history']>,
    finding: Finding,
    time: number,
  ): Promise<Finding | undefined> {
    const search = this.searchOf({ ...finding, history }, time);
    const outcome = await this.context.perform({ kind: 'sequence', ...search });
    if (outcome.kind === 'unknown') return undefined;
    if (outcome.kind === 'failed' || outcome.result === undefined) return finding;
    const shown = await this.timesShown(outcome.result, RERUNS);
    if (shown === undefined) return undefined;
    return shown === 0 ? finding : { ...outcome.result, shown };
  }

  private searchOf(finding: Finding, time: number) {
    const { settings, plan } = this.context;
    const { maxTries: mostTries } = plan.record.campaign;
    return { settings, finding, mostTries, time: time === Infinity ? undefined : time };
  }

  /** In how many of `runs` a finding shows again; undefined if that is not known. */
  private async timesShown(finding: Finding, runs: number): Promise<number | undefined> {
    if (isWorkerFailure(finding.divergence)) return await this.timesFailed(finding);
    const task = { kind: 'rerun', settings: this.context.settings, finding, runs } as const;
    const outcome = await this.context.perform(task, { attempts: MOST_ATTEMPTS });
    if (outcome.kind === 'failed') this.context.leaveUndone(task, failureText(outcome));
    return outcome.kind === 'done' ? outcome.result : undefined;
  }

  private async timesFailed({ provenance, divergence }: Finding): Promise<number | undefined> {
    const { settings } = this.context;
    const range = { first: provenance.program, stride: 1, count: 1 };
    const batch: BatchTask = { range, skip: [], enough: {}, careful: true };
    let failures = 0;
    for (let time = 0; time < RERUNS; time++) {
      const outcome = await this.context.perform({ kind: 'batch', settings, batch });
      if (outcome.kind === 'unknown') return undefined;
      if (outcome.kind !== 'failed') continue;
      if (signatureOf(failureDivergence(outcome.how, outcome.detail)) === signatureOf(divergence)) failures++;
    }
    return failures;
  }
}

const nameOf = ({ provenance, divergence }: Finding): string => `${provenance.program} ${signatureOf(divergence)}`;

/** More time would not change it. */
const isWorkedOut = ({ shrunk, shown, divergence }: Finding): boolean =>
  shown !== undefined && (shrunk === 'wholly' || isWorkerFailure(divergence));
