/** Reads values against schemas and collects the problems: the first one, and a count. */

import * as z from 'zod/mini';
import { BadInput } from './bad-input.js';
import { quoted } from './visible-text.js';

/** Keys and indexes from the root of the document to a value. */
export type Path = readonly PropertyKey[];

/** Reading stops after this many: it makes no difference how many of a million steps are wrong. */
const MOST_COUNTED = 100;

/** The message for issues without one of ours. Every schema in fields.ts has its own, so it should never be seen. */
const IN_OUR_WORDS = { error: () => 'not understood; compare it with the description of the format' };

/** Keys of ours; a file may hold others. */
const PLAIN_KEY = /^[\w-]{1,60}$/;

/** `steps[3].paddr`; nothing for the root. */
const formatPath = (path: Path): string | undefined => {
  if (path.length === 0) return undefined;
  const parts = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`;
    const name = String(key);
    return PLAIN_KEY.test(name) ? `.${name}` : `[${quoted(name)}]`;
  });
  return parts.join('').replace(/^\./, '');
};

const formatFurther = (further: number): string => {
  if (further >= MOST_COUNTED - 1) return `and at least ${further} further problems`;
  return further === 1 ? 'and 1 further problem' : `and ${further} further problems`;
};

export class Problems {
  readonly #source: string;
  #first: { readonly path: Path; readonly text: string } | undefined;
  #count = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** @param text - what is wrong, `; `, and what to do about it */
  add(path: Path, text: string): void {
    this.#first ??= { path, text };
    this.#count += 1;
  }

  get first(): { readonly path: Path; readonly text: string } | undefined {
    return this.#first;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** There are enough problems; reading on is pointless. */
  get isFull(): boolean {
    return this.#count >= MOST_COUNTED;
  }

  /** The error to throw: the first problem, and the number of others. There must be one. */
  refusal(): BadInput {
    if (this.#first === undefined) throw new Error('nothing to refuse');
    const { path, text } = this.#first;
    const place = formatPath(path);
    const further = Math.min(this.#count, MOST_COUNTED) - 1;
    return new BadInput(this.#source, text, {
      ...(place === undefined ? {} : { place }),
      ...(further === 0 ? {} : { further: formatFurther(further) }),
    });
  }

  /** The value as its schema reads it. If it does not fit, adds the problems and returns undefined. */
  read<Value>(schema: z.core.$ZodType<Value>, value: unknown, path: Path): Value | undefined {
    const result = z.safeParse(schema, value);
    if (result.success) return result.data;
    // Parsed again for the messages, because a custom error makes zod three times slower.
    for (const issue of z.safeParse(schema, value, IN_OUR_WORDS).error?.issues ?? [])
      this.add([...path, ...issue.path], issue.message);
    return undefined;
  }

  /** As `read`, for a whole document; throws the problems. */
  readWhole<Value>(schema: z.core.$ZodType<Value>, value: unknown): Value {
    const read = this.read(schema, value, []);
    if (read === undefined) throw this.refusal();
    return read;
  }

  /**
   * Reads a list item by item, passes those that fit to `inspect`, and stops once there are many problems. A schema for the whole list
   * would keep an object for every problem, of which a list of millions may have millions.
   */
  readEach<Value>(
    schema: z.core.$ZodType<Value>,
    list: readonly unknown[],
    path: Path,
    inspect: (value: Value, path: Path) => void = () => {},
  ): Value[] {
    const values: Value[] = [];
    for (let index = 0; index < list.length && !this.isFull; index++) {
      const value = this.read(schema, list[index], [...path, index]);
      if (value === undefined) continue;
      values.push(value);
      inspect(value, [...path, index]);
    }
    return values;
  }
}
