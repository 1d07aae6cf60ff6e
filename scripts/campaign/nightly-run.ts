/** A run: one phase after the other. Each remembers what it did, and leaves out what is remembered. */

import { programsOfShardWithin } from '../../properties/campaign/batches.js';
import type { Ledger } from '../../properties/campaign/ledger.js';
import type { Progress } from '../terminal/progress-line.js';
import { flyCanary } from './canary-flight.js';
import { replayCorpus } from './corpus-replay.js';
import { Exploration } from './exploration.js';
import type { RunPlan } from './run-plan.js';
import { batchesOf } from './run-plan.js';
import { Shrinking } from './shrinking.js';
import type { Tools } from './workshop.js';
import { Workshop } from './workshop.js';

export class NightlyRun {
  interrupted = false;
  private readonly workshop: Workshop;
  private readonly exploration: Exploration;
  private readonly shrinking: Shrinking;

  constructor(plan: RunPlan, ledger: Ledger, tools: Tools) {
    this.workshop = new Workshop(plan, ledger, tools);
    this.exploration = new Exploration(this.workshop);
    this.shrinking = new Shrinking(this.workshop);
  }

  async go(): Promise<void> {
    this.note('begin');
    await replayCorpus(this.workshop);
    await flyCanary(this.workshop);
    await this.exploration.go();
    await this.shrinking.go();
    if (!this.interrupted) this.note('end');
  }

  interrupt(): void {
    this.interrupted = true;
    this.workshop.close();
  }

  progress(): Progress {
    const { shard, ledger } = this.workshop;
    const { programs, tally } = shard;
    const { elapsed } = this.exploration;
    const shrinking = this.shrinking.left !== undefined;
    const findings = ledger.discoveries.size;
    return { programs, steps: tally.steps, findings, elapsed, left: this.left(programs), shrinking, tally };
  }

  private left(programs: number): Progress['left'] {
    const { plan } = this.workshop;
    const { time } = plan.part;
    if (this.shrinking.left !== undefined) return { kind: 'time', milliseconds: this.shrinking.left };
    if (time !== null) return { kind: 'time', milliseconds: time - this.exploration.elapsed };
    const batches = batchesOf(plan);
    return { kind: 'programs', count: programsOfShardWithin(batches.shard, batches.programs) - programs };
  }

  private note(kind: 'begin' | 'end'): void {
    const { today, plan } = this.workshop;
    this.workshop.remember({ kind, at: today.toISOString(), shard: plan.part.shard });
  }
}
