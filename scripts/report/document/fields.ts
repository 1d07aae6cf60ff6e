/**
 * Building blocks of the documents that runs leave behind, beside those of properties/formats/fields.ts. As there, each says in our own
 * words what is wrong and what to write instead.
 */

import * as z from 'zod';
import { shownValue } from '../../../properties/formats/quoted.js';

/** What a schema reads, as it is given to others. */
export type Immutable<Value> = Value extends readonly (infer Member)[]
  ? readonly Immutable<Member>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Immutable<Value[Key]> }
    : Value;

const refused = (input: unknown, problem: string, remedy: string): string =>
  `${input === undefined ? 'missing' : `${shownValue(input)} is ${problem}`}; ${remedy}`;

export const yesOrNo = z.boolean({ error: ({ input }) => refused(input, 'not true or false', 'give one of the two') });

/** Milliseconds or a rate: finite, may have a fraction. */
export const quantity = z
  .number({ error: ({ input }) => refused(input, 'not a number', 'give a number from 0 on') })
  .nonnegative({ error: ({ input }) => refused(input, 'out of range', 'give a number from 0 on') });

export const listOf = <Member extends z.core.$ZodType>(member: Member) =>
  z.array(member, { error: ({ input }) => refused(input, 'not a list', 'give a list: […]') });

/** An object whose keys are names of somebody's choice. */
export const tableOf = <Member extends z.core.$ZodType>(member: Member) =>
  z.record(z.string(), member, { error: ({ input }) => refused(input, 'not an object', 'give an object: {…}') });
