/** A program that shows a finding: as it was found, or made small; and which of two is kept. */

import * as z from 'zod';
import { choice, exactObject, wholeNumber } from '../formats/fields.js';
import { programHash } from '../formats/index.js';
import type { CounterexampleJson } from '../corpus/counterexample.js';
import type { Finding } from '../finding.js';
import { counterexampleFromJson, counterexampleToJson } from '../corpus/counterexample.js';
import { signatureOf } from '../divergence.js';

/** How often a finding is run again from its stored program. */
export const RERUNS = 3;

/** `not`: as it was generated. `partly`: shrinking was cut short. */
const SHRUNK = ['not', 'partly', 'wholly'] as const;
export type Shrunk = (typeof SHRUNK)[number];

export interface Occurrence {
  readonly entry: Finding;
  readonly shrunk: Shrunk;
  /** In how many of `RERUNS` the program showed its signature again; undefined before it was run again. */
  readonly shown: number | undefined;
}

const envelope = exactObject({
  shrunk: choice(SHRUNK),
  shown: z.optional(wholeNumber(0, RERUNS)),
  entry: z.unknown(),
});

export const occurrenceSchema = envelope;

export interface OccurrenceJson {
  readonly shrunk: Shrunk;
  readonly shown?: number;
  readonly entry: CounterexampleJson;
}

export const occurrenceToJson = ({ entry, shrunk, shown }: Occurrence): OccurrenceJson => ({
  shrunk,
  ...(shown === undefined ? {} : { shown }),
  entry: counterexampleToJson(entry),
});

/** Throws `BadInput` for an entry that is none. */
export const occurrenceFrom = ({ shrunk, shown, entry }: z.infer<typeof envelope>, source: string): Occurrence => ({
  shrunk,
  shown,
  entry: counterexampleFromJson(entry, source),
});

export const signatureOfOccurrence = ({ entry }: Occurrence): string => signatureOf(entry.divergence);

/** It shows whenever it is run. */
export const isSteady = ({ shown }: Occurrence): boolean => shown === RERUNS;

/** Negative if the first is the better one to show a reader: one that shows each time, then the shorter, then by hash. */
export const comparePresented = (one: Occurrence, other: Occurrence): number =>
  Number(isSteady(other)) - Number(isSteady(one)) ||
  compareSize(one, other) ||
  // Before the text, in which the moment at which a shard began comes first.
  one.entry.provenance.program - other.entry.provenance.program ||
  compareText(textOf(one), textOf(other));

/** Negative if the first is the one to keep, of two for the same program of a campaign: the one on which more work was done. */
export const compareWork = (one: Occurrence, other: Occurrence): number =>
  SHRUNK.indexOf(other.shrunk) - SHRUNK.indexOf(one.shrunk) ||
  Number(one.shown === undefined) - Number(other.shown === undefined) ||
  compareSize(one, other) ||
  compareText(textOf(one), textOf(other));

const compareSize = ({ entry: one }: Occurrence, { entry: other }: Occurrence): number =>
  one.case.program.steps.length - other.case.program.steps.length ||
  compareText(programHash(one.case.program), programHash(other.case.program));

/** Whatever else may differ: an order must be total, or which of two is kept depends on which came first. */
const textOf = (occurrence: Occurrence): string => JSON.stringify(occurrenceToJson(occurrence));

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
