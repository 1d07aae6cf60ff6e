/** The last phase: what was found is made small, and run again from what will be stored of it. */

import { formatProgram } from '../../properties/formats/index.js';
import type { BatchResult } from '../../properties/campaign/batch.js';
import { KEPT_PROGRAMS } from '../../properties/campaign/batch.js';
import { numberOf } from '../../properties/campaign/discoveries.js';
import type { Occurrence } from '../../properties/campaign/occurrence.js';
import { RERUNS, signatureOfOccurrence } from '../../properties/campaign/occurrence.js';
import type { Finding } from '../../properties/finding.js';
import { signatureOf } from '../../properties/divergence.js';
import { tolerated } from './known.js';
import type { Outcome } from './crew.js';
import { divergenceOf, isDeath } from '../../properties/campaign/death.js';
import type { Workshop } from './workshop.js';

/** An occurrence that is not worked out, and how many of its signature have smaller numbers. */
interface Rough {
  readonly rank: number;
  readonly occurrence: Occurrence;
}

export class Shrinking {
  private readonly workshop: Workshop;
  private end: number | undefined = undefined;

  constructor(workshop: Workshop) {
    this.workshop = workshop;
  }

  /** Milliseconds; nothing before it has begun. */
  get left(): number | undefined {
    return this.end === undefined ? undefined : Math.max(0, this.end - this.workshop.now);
  }

  async go(): Promise<void> {
    this.end = this.workshop.now + this.workshop.plan.part.shrinkTime;
    const rough = this.rough();
    await this.workshop.everyWorker(async () => {
      const next = rough.shift();
      if (next === undefined) return false;
      const left = this.left!;
      // Once the time is up each signature is run again at least, so that nobody chases a ghost.
      if (left > 0 || next.rank === 0) await this.workOut(next.occurrence, left);
      return true;
    });
  }

  /** The first program of every signature comes before the second one of any: when the time is up, most are small. */
  private rough(): Rough[] {
    const { ledger, plan, today } = this.workshop;
    const known = tolerated(plan.known, today);
    const discoveries = ledger.discoveries.list().filter(({ signature }) => !known.has(signature));
    const ranks = Array.from({ length: KEPT_PROGRAMS }, (_, rank) => rank);
    return ranks.flatMap((rank) =>
      discoveries.flatMap(({ occurrences }): Rough[] => {
        const occurrence = occurrences[rank];
        return occurrence === undefined || isWorkedOut(occurrence) ? [] : [{ rank, occurrence }];
      }),
    );
  }

  private async workOut(rough: Occurrence, time: number): Promise<void> {
    const shrinks = time > 0 && !isDeath(rough.entry.divergence);
    const small = shrinks ? await this.smaller(rough, time) : rough;
    const shown = small === undefined ? undefined : await this.showings(small.entry);
    if (small === undefined || shown === undefined) return;
    this.workshop.remember({ kind: 'occurrence', occurrence: { ...small, shown } });
  }

  /** Nothing if the run ends. */
  private async smaller(rough: Occurrence, time: number): Promise<Occurrence | undefined> {
    const { settings, plan } = this.workshop;
    const { maxTries: mostTries } = plan.record.campaign;
    const signature = signatureOfOccurrence(rough);
    const task = { kind: 'shrink', settings, program: numberOf(rough), signature, mostTries, time } as const;
    const outcome = await this.workshop.have(task);
    if (outcome.kind === 'aborted') return undefined;
    // A worker that fails while it shrinks has met another program; this one stays as it is.
    if (outcome.kind === 'failed' || outcome.result?.reproduced !== true) return rough;
    const { case: small, divergence, interrupted } = outcome.result;
    const entry = { ...rough.entry, case: small, divergence };
    return { entry, shrunk: interrupted ? 'partly' : 'wholly', shown: undefined };
  }

  /** In how many of `RERUNS` a stored program shows its finding again; nothing if the run ends. */
  private async showings(entry: Finding): Promise<number | undefined> {
    const { divergence, case: found } = entry;
    if (isDeath(divergence)) return await this.deaths(entry);
    const { settings } = this.workshop;
    const { invariant } = divergence;
    const program = formatProgram(found.program);
    const signature = signatureOf(divergence);
    const task = { kind: 'rerun', settings, invariant, signature, traffic: found.traffic, program } as const;
    const outcome = await this.workshop.have(task);
    if (outcome.kind === 'aborted') return undefined;
    return outcome.kind === 'done' ? outcome.result : 0;
  }

  private async deaths({ provenance, divergence }: Finding): Promise<number | undefined> {
    const { settings } = this.workshop;
    const batch = { range: { first: provenance.program, stride: 1, count: 1 }, skip: [], enough: {} };
    let deaths = 0;
    for (let time = 0; time < RERUNS; time++) {
      const outcome: Outcome<BatchResult> = await this.workshop.have({ kind: 'batch', settings, batch, careful: true });
      if (outcome.kind === 'aborted') return undefined;
      if (outcome.kind === 'failed' && signatureOf(divergenceOf(outcome)) === signatureOf(divergence)) deaths++;
    }
    return deaths;
  }
}

/** Nothing more can be learnt of it. */
const isWorkedOut = ({ shrunk, shown, entry }: Occurrence): boolean =>
  shown !== undefined && (shrunk === 'wholly' || isDeath(entry.divergence) || shown < RERUNS);
