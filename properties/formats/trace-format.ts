/** Traces in JSON: what a subject answers to a program (formats.md, Trace). */

import type * as z from 'zod/mini';
import type {
  LeafTarget,
  Observable,
  Observation,
  Outcome,
  Program,
  ReportedShadow,
  Trace,
} from '../../model/vocabulary/index.js';
import { OBSERVABLES, bareOutcome } from '../../model/vocabulary/index.js';
import { formatHex, formatHexEntry } from './hex.js';
import { readJson } from './json-text.js';
import { quickTrace } from './quick-trace.js';
import type { TraceContents } from './trace-contents.js';
import { VERSION_ONE } from './trace-contents.js';
import type { outcomeSchema } from './trace-schema.js';
import { traceFromJson } from './trace-schema.js';

export type OutcomeJson = z.input<typeof outcomeSchema>;

/** A bare outcome is written alone, and what a machine does not observe is left out. */
export interface ObservationJson {
  readonly outcome: OutcomeJson;
  readonly references?: readonly (readonly [page: number, count: number])[];
  readonly stores?: readonly (readonly [paddr: string, value: string])[];
  readonly tables?: number;
  readonly switcher?: { readonly text: number; readonly state: readonly number[]; readonly registers: number };
  readonly shadow?: ShadowJson;
}

/** The shadow of a subject that reports it. Rights are the sum of 1 (writable) and 2 (user). */
export interface ShadowJson {
  readonly current: number;
  readonly roots: readonly (readonly [hostPage: number, guestRoot: string | null] | null)[];
  readonly tables: readonly (readonly [slot: number, depth: number, vaddr: string, hostPage: number])[];
  readonly pages: readonly number[];
  readonly leaves: readonly (readonly [
    slot: number,
    vaddr: string,
    target: LeafTarget,
    page: number,
    rights: number,
    upperRights: number,
  ])[];
}

/** A trace as JSON holds it. */
export interface TraceJson {
  readonly created: ObservationJson;
  readonly steps: readonly ObservationJson[];
  readonly destroyed: ObservationJson;
  readonly edges?: readonly number[];
}

/** As `traceFromJson`, from one line of a subject's output: text, or bytes that are UTF-8. */
export const parseTrace = (
  line: string | Uint8Array,
  source: string,
  program: Program,
  contents: TraceContents = VERSION_ONE,
): Trace => {
  const bytes = typeof line === 'string' ? Buffer.from(line) : Buffer.from(line.buffer, line.byteOffset, line.length);
  return (
    quickTrace(bytes, program, contents) ??
    traceFromJson(readJson(bytes.toString(), source, 'answer'), source, program, contents)
  );
};

const outcomeToJson = (outcome: Outcome): OutcomeJson => {
  switch (outcome.kind) {
    case 'initialized':
      return { kind: outcome.kind, reserved: formatHex(outcome.reserved) };
    case 'mapped':
    case 'mmio':
    case 'physical':
      return { kind: outcome.kind, paddr: formatHex(outcome.paddr) };
    case 'fault':
      return { kind: outcome.kind, code: outcome.code };
    case 'killed':
    case 'host-bug':
      return { kind: outcome.kind, reason: outcome.reason };
    case 'created':
    case 'no-memory':
    case 'ok':
    case 'stuck':
    case 'dead':
    case 'destroyed':
    case 'halted':
    case 'absent':
      return { kind: outcome.kind };
    default:
      return outcome satisfies never;
  }
};

const rightsOf = (writable: boolean, user: boolean): number => (writable ? 1 : 0) + (user ? 2 : 0);

const shadowToJson = ({ current, roots, tables, pages, leaves }: ReportedShadow): ShadowJson => ({
  current,
  roots: roots.map((root) =>
    root === undefined
      ? null
      : ([root.frame, root.guestRoot === undefined ? null : formatHex(root.guestRoot)] as const),
  ),
  tables: tables.map(({ slot, depth, vaddr, frame }) => [slot, depth, formatHex(vaddr), frame] as const),
  pages: [...pages],
  leaves: leaves.map(
    ({ slot, vaddr, target, page, writable, user, upperWritable, upperUser }) =>
      [slot, formatHex(vaddr), target, page, rightsOf(writable, user), rightsOf(upperWritable, upperUser)] as const,
  ),
});

/** Copies, because a machine may reuse its observation in the next call. */
const observationToJson = (observation: Observation, observes: readonly Observable[]): ObservationJson => {
  const { outcome, references, stores, tables, switcher, shadow } = observation;
  if (bareOutcome(outcome.kind)) return { outcome: outcomeToJson(outcome) };
  const shows = (what: Observable): boolean => observes.includes(what);
  return {
    outcome: outcomeToJson(outcome),
    ...(shows('references') && { references: references.map(({ page, count }) => [page, count] as const) }),
    ...(shows('stores') && {
      stores: stores.map(({ paddr, value }) => [formatHex(paddr), formatHexEntry(value)] as const),
    }),
    ...(shows('tables') && { tables }),
    ...(shows('switcher') && {
      switcher: { text: switcher.text, state: [...switcher.state], registers: switcher.registers },
    }),
    ...(shows('shadow') && shadow !== undefined && { shadow: shadowToJson(shadow) }),
  };
};

/**
 * The JSON value of a trace, its keys in the order of formats.md.
 *
 * @param observes - what the machine observes; the trace holds no more
 */
export const traceToJson = (
  { created, steps, destroyed, edges }: Trace,
  observes: readonly Observable[] = OBSERVABLES,
): TraceJson => ({
  created: observationToJson(created, observes),
  steps: steps.map((step) => observationToJson(step, observes)),
  destroyed: observationToJson(destroyed, observes),
  ...(edges === undefined ? {} : { edges: [...edges] }),
});

/** A trace in one line, without a newline; see `traceToJson`. */
export const formatTrace = (trace: Trace, observes?: readonly Observable[]): string =>
  JSON.stringify(traceToJson(trace, observes));
