/** Which step gave a word of guest RAM what it holds, so that a story can say since when something is so. */

import type { GuestEntry, Observation, Paddr, Step } from '../../model/vocabulary/index.js';
import { ZERO_ENTRY, sameEntry } from '../../model/vocabulary/index.js';

export interface Written {
  readonly step: number;
  readonly value: GuestEntry;
}

export class WordHistory {
  private readonly words = new Map<Paddr, Written[]>();

  /** Takes down what the guest stored and what the hypervisor wrote. */
  follow(index: number, step: Step, { stores }: Observation): void {
    if (step.op === 'store') this.note(index, step.paddr, step.value);
    for (const { paddr, value } of stores) this.note(index, paddr, value);
  }

  /** The step that wrote a word last; none if nobody did. */
  lastWriter(paddr: Paddr): number | undefined {
    return this.words.get(paddr)?.at(-1)?.step;
  }

  /** What a word held before a step. */
  before(paddr: Paddr, index: number): GuestEntry {
    return this.words.get(paddr)?.findLast(({ step }) => step < index)?.value ?? ZERO_ENTRY;
  }

  /** The step from which on something has been true of a word without a break; none if nobody ever wrote it. */
  since(paddr: Paddr, holds: (entry: GuestEntry) => boolean): number | undefined {
    const all = this.words.get(paddr) ?? [];
    const broken = all.findLastIndex(({ value }) => !holds(value));
    return all[broken + 1]?.step;
  }

  private note(step: number, paddr: Paddr, value: GuestEntry): void {
    const all = this.words.get(paddr) ?? [];
    if (sameEntry(all.at(-1)?.value ?? ZERO_ENTRY, value)) return;
    all.push({ step, value });
    this.words.set(paddr, all);
  }
}
