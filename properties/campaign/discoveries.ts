/**
 * What a campaign found, by signature. Of each the programs with the smallest numbers are kept, at most `KEPT_PROGRAMS`: the
 * smallest of a union are among the smallest of its parts, so that shards can be merged in any order, any number of times, and
 * end with what one run of all programs would have kept. The shortest of them, ties by hash, is the one that is shown.
 */

import { KEPT_PROGRAMS } from './batch.js';
import type { Occurrence } from './occurrence.js';
import { comparePresented, compareWork, signatureOfOccurrence } from './occurrence.js';

/** Occurrences of one signature, by the number of their program. */
export interface Discovery {
  readonly signature: string;
  readonly occurrences: readonly Occurrence[];
}

export class Discoveries {
  private readonly bySignature = new Map<string, readonly Occurrence[]>();

  get size(): number {
    return this.bySignature.size;
  }

  add(occurrence: Occurrence): void {
    const signature = signatureOfOccurrence(occurrence);
    const kept = [...(this.bySignature.get(signature) ?? [])];
    const same = kept.findIndex((each) => numberOf(each) === numberOf(occurrence));
    if (same < 0) kept.push(occurrence);
    else if (compareWork(occurrence, kept[same]) < 0) kept[same] = occurrence;
    kept.sort((one, other) => numberOf(one) - numberOf(other));
    this.bySignature.set(signature, kept.slice(0, KEPT_PROGRAMS));
  }

  /** In the order in which one run would have found them. */
  list(): readonly Discovery[] {
    const all = [...this.bySignature].map(([signature, occurrences]): Discovery => ({ signature, occurrences }));
    const first = ({ occurrences }: Discovery): number => numberOf(occurrences[0]);
    return all.toSorted((one, other) => first(one) - first(other) || (one.signature < other.signature ? -1 : 1));
  }

  /** For each signature of which enough programs are known, the largest number of them. */
  enough(): Readonly<Record<string, number>> {
    const full = [...this.bySignature].filter(([, kept]) => kept.length === KEPT_PROGRAMS);
    return Object.fromEntries(full.map(([signature, kept]) => [signature, numberOf(kept.at(-1)!)]));
  }
}

/** The one to show. */
export const presented = ({ occurrences }: Discovery): Occurrence => occurrences.toSorted(comparePresented)[0];

/** The number of its program in the campaign. */
export const numberOf = ({ entry }: Occurrence): number => entry.provenance.program;
