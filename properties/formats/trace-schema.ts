/**
 * The shape of a trace in JSON (formats.md, Trace). Unlike a program's, its objects may carry further keys: a subject in
 * another language may say more than was asked.
 */

import * as z from 'zod/mini';
import type { EntryChange, Outcome, ReferenceChange } from '../../model/vocabulary/index.js';
import { OUTCOME_KINDS, killedFor, pfn } from '../../model/vocabulary/index.js';
import { anyText, hexBytes, hexEntry, hexPaddr, list, naturalNumber, openObject, u32, unionError } from './fields.js';

export const outcomeSchema = z.discriminatedUnion(
  'kind',
  [
    openObject({ kind: z.literal('created') }),
    openObject({ kind: z.literal('no-memory') }),
    openObject({ kind: z.literal('initialized'), reserved: hexBytes }),
    openObject({ kind: z.literal('ok') }),
    openObject({ kind: z.literal('mapped'), paddr: hexPaddr }),
    openObject({ kind: z.literal('fault'), code: u32 }),
    openObject({ kind: z.literal('mmio'), paddr: hexPaddr }),
    openObject({ kind: z.literal('physical'), paddr: hexPaddr }),
    openObject({ kind: z.literal('stuck') }),
    z.pipe(
      openObject({ kind: z.literal('killed'), reason: anyText }),
      z.transform(({ reason }) => killedFor(reason)),
    ),
    openObject({ kind: z.literal('dead') }),
    openObject({ kind: z.literal('destroyed') }),
    openObject({ kind: z.literal('host-bug'), reason: anyText }),
    openObject({ kind: z.literal('halted') }),
    openObject({ kind: z.literal('absent') }),
  ],
  { error: unionError('kind', OUTCOME_KINDS) },
) satisfies z.core.$ZodType<Outcome>;

/** The envelope of an observation; what it holds is read according to the outcome. */
export const observationSchema = openObject({ outcome: outcomeSchema });

/** The other fields, for outcomes that are not bare. Members of lists are read one at a time. */
export const effectsSchema = openObject({
  references: list,
  stores: list,
  tables: naturalNumber,
  switcher: openObject({ text: naturalNumber, state: list, registers: naturalNumber }),
});

const pairError =
  (example: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    `${Array.isArray(input) ? 'a list of another length' : 'no list'} where a pair should stand; write it like ${example}`;

export const referenceSchema = z.pipe(
  z.tuple([naturalNumber, naturalNumber], { error: pairError('[5,1]') }),
  z.transform(([page, count]): ReferenceChange => ({ page: pfn(page), count })),
);

/** Any 64 bits in either paging: a word that cannot be right is for the comparison to tell. */
export const entryChangeSchema = z.pipe(
  z.tuple([hexPaddr, hexEntry], { error: pairError('["0x2000","0x5067"]') }),
  z.transform(([paddr, value]): EntryChange => ({ paddr, value })),
);

/** The observations are read one at a time; one that is missing is told then. */
export const traceSchema = openObject({
  created: z.optional(z.unknown()),
  steps: list,
  destroyed: z.optional(z.unknown()),
});

export type OutcomeJson = z.input<typeof outcomeSchema>;

/** Of a bare outcome nothing else is written. */
export type ObservationJson =
  | { readonly outcome: OutcomeJson }
  | {
      readonly outcome: OutcomeJson;
      readonly references: readonly (readonly [page: number, count: number])[];
      readonly stores: readonly (readonly [paddr: string, value: string])[];
      readonly tables: number;
      readonly switcher: { readonly text: number; readonly state: readonly number[]; readonly registers: number };
    };

/** A trace as JSON holds it. */
export interface TraceJson {
  readonly created: ObservationJson;
  readonly steps: readonly ObservationJson[];
  readonly destroyed: ObservationJson;
}
