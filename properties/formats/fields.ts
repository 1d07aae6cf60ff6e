/**
 * The building blocks of the schemas. Each has its own message that says what is wrong and what to write instead, so that the text of an
 * issue can be shown as it is. They use zod/mini because every start of the program builds them, and schemas without methods build faster.
 */

import * as z from 'zod/mini';
import type { GuestEntry, Paddr, Vaddr } from '../../model/vocabulary/index.js';
import { ADDRESS_SPACE_BYTES, paddr, vaddr } from '../../model/vocabulary/index.js';
import { formatHex, isHex, parseHexAddress, parseHexEntry } from './hex.js';
import { quoted, shownValue } from './visible-text.js';

/** The longest reason of a kill or a host bug, in bytes of UTF-8. */
export const LONGEST_REASON = 2 ** 16;

/** The largest draw, index or count: what a guest can pass in a register. */
const U32_MOST = 2 ** 32 - 1;

type Context = z.core.ParsePayload;

const refuse = (context: Context, input: unknown, problem: string, remedy: string): never => {
  const text = input === undefined ? 'missing' : problem;
  context.issues.push({ code: 'custom', message: `${text}; ${remedy}`, input });
  return z.NEVER;
};

/** An integer within bounds, both included. */
export const wholeNumber = (least: number, most: number) =>
  z.transform<number, number>((input: unknown, context) => {
    const remedy = `give a whole number from ${least} to ${most}`;
    if (!Number.isInteger(input)) return refuse(context, input, `${shownValue(input)} is not a whole number`, remedy);
    const value = input as number;
    if (value < least || value > most) return refuse(context, input, `${value} is out of range`, remedy);
    return value + 0; // JSON has a negative zero, a machine has not
  });

/** A draw, an index or a count that a guest passes in a register. */
export const u32 = wholeNumber(0, U32_MOST);
/** A count that a subject reports. */
export const naturalNumber = wholeNumber(0, Number.MAX_SAFE_INTEGER);

const EXAMPLE = 'write it like "0x5067"';

/** Suggests the spelling that was probably meant. */
const hexRemedy = (input: unknown): string => {
  if (Number.isSafeInteger(input) && (input as number) >= 0) return `write it as "${formatHex(input as number)}"`;
  if (typeof input !== 'string') return EXAMPLE;
  const meant = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(input)?.[1];
  return meant === undefined ? EXAMPLE : `write it as "0x${meant.toLowerCase()}"`;
};

const isHexText = (input: unknown): input is string => typeof input === 'string' && isHex(input);

const refuseText = (context: Context, input: unknown): never =>
  refuse(context, input, `${shownValue(input)} is not a lower-case hex string`, hexRemedy(input));

const addressOf = <Address>(brand: (address: number) => Address) =>
  z.transform<string, Address>((input: unknown, context) => {
    if (!isHexText(input)) return refuseText(context, input);
    const value = parseHexAddress(input);
    if (value !== undefined) return brand(value);
    const remedy = `give at most "${formatHex(ADDRESS_SPACE_BYTES - 1)}"`;
    return refuse(context, input, `${quoted(input)} is wider than 32 bits`, remedy);
  });

export const hexVaddr = addressOf<Vaddr>(vaddr);
export const hexPaddr = addressOf<Paddr>(paddr);
/** A count of bytes, below 2³². */
export const hexBytes = addressOf<number>((bytes) => bytes);

/** 64 bits in either paging mode: whether an entry fits depends on the machine, which a field does not know. */
export const hexEntry = z.transform<string, GuestEntry>((input: unknown, context) => {
  if (!isHexText(input)) return refuseText(context, input);
  return (
    parseHexEntry(input) ?? refuse(context, input, `${quoted(input)} is wider than 64 bits`, 'give at most 16 digits')
  );
});

const listed = (values: readonly string[]): string => values.map((value) => `"${value}"`).join(', ');

const refusedChoice = (input: unknown, values: readonly string[]): string => {
  const problem = input === undefined ? 'missing' : `${shownValue(input)} is not known`;
  return `${problem}; use ${values.length > 1 ? 'one of ' : ''}${listed(values)}`;
};

/** One of a few words. */
export const choice = <const Word extends string>(words: readonly Word[]) =>
  z.enum(words, { error: ({ input }) => refusedChoice(input, words) });

/** Some of a few words: a list with at least one, which is read in their order. */
export const someOf = <const Word extends string>(words: readonly Word[]) =>
  z.transform<readonly Word[], readonly Word[]>((input: unknown, context) => {
    const remedy = `give a list of at least one of ${listed(words)}, each once`;
    if (!Array.isArray(input)) return refuse(context, input, `${shownValue(input)} is not a list`, remedy);
    const given = words.filter((word) => input.includes(word));
    if (given.length > 0 && given.length === input.length) return given;
    return refuse(context, input, 'the list is empty, or holds something else or a word twice', remedy);
  });

export const anyText = z.string({
  error: ({ input }) => `${input === undefined ? 'missing' : `${shownValue(input)} is not a text`}; give a string`,
});

/** Why a guest was killed or a machine broke. */
export const isReason = (input: unknown): input is string =>
  typeof input === 'string' && (input.length <= LONGEST_REASON / 3 || Buffer.byteLength(input) <= LONGEST_REASON);

export const reasonText = anyText.check(
  z.refine(isReason, { error: `too long; give at most ${LONGEST_REASON} bytes of UTF-8` }),
);

/** A list whose items are read later, one at a time. */
export const list = z.transform<readonly unknown[], readonly unknown[]>((input: unknown, context) =>
  Array.isArray(input) ? input : refuse(context, input, `${shownValue(input)} is not a list`, 'give a list: […]'),
);

const refusedObject = (input: unknown, keys: readonly string[]): string => {
  const problem = input === undefined ? 'missing' : `${shownValue(input)} is not an object`;
  return `${problem}; give an object with ${listed(keys)}`;
};

/** An object with these keys and no other. */
export const exactObject = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${quoted(issue.keys[0] ?? '')}; leave it out, only ${listed(keys)} belong here`
        : refusedObject(issue.input, keys),
  });
};

/** An object with these keys; others are ignored. */
export const openObject = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.object(shape, { error: ({ input }) => refusedObject(input, Object.keys(shape)) });

/** The error of a union that is discriminated by the word under `key`. */
export const unionError =
  (key: string, words: readonly string[]) =>
  ({ code, input }: z.core.$ZodRawIssue): string =>
    code === 'invalid_union'
      ? refusedChoice((input as Readonly<Record<string, unknown>>)[key], words)
      : refusedObject(input, [key]);

/** What a schema reads, deeply read-only. */
export type Immutable<Value> = Value extends readonly (infer Member)[]
  ? readonly Immutable<Member>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Immutable<Value[Key]> }
    : Value;

const refused = (input: unknown, problem: string, remedy: string): string =>
  `${input === undefined ? 'missing' : `${shownValue(input)} is ${problem}`}; ${remedy}`;

export const yesOrNo = z.boolean({ error: ({ input }) => refused(input, 'not true or false', 'give one of the two') });

/** Milliseconds or a rate: finite and not negative; may have a fraction. */
export const quantity = z
  .number({ error: ({ input }) => refused(input, 'not a number', 'give a number from 0 on') })
  .check(z.nonnegative({ error: ({ input }) => refused(input, 'out of range', 'give a number from 0 on') }));

export const orNull = <Schema extends z.core.$ZodType>(schema: Schema) => z.union([schema, z.null()]);

export const listOf = <Member extends z.core.$ZodType>(member: Member) =>
  z.array(member, { error: ({ input }) => refused(input, 'not a list', 'give a list: […]') });

/** An object with any keys. */
export const tableOf = <Member extends z.core.$ZodType>(member: Member) =>
  z.record(z.string(), member, { error: ({ input }) => refused(input, 'not an object', 'give an object: {…}') });
