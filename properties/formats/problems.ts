/** Collects what is wrong with a value that is read against schemas, and remembers only what will be told. */

import * as z from 'zod/mini';
import { BadInput } from './bad-input.js';

/** Keys and indexes from the root of the document to a value. */
export type Path = readonly PropertyKey[];

/** Reading stops here: a document of a million wrong steps is told to be wrong, not counted through. */
const MOST_COUNTED = 100;

/** Every schema in fields.ts words its own issues; should one not, the library's wording still stays inside. */
const IN_OUR_WORDS = { error: () => 'not understood; compare it with the description of the format' };

/** `steps[3].paddr`; nothing for the root. */
const formatPath = (path: Path): string | undefined => {
  if (path.length === 0) return undefined;
  const parts = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
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

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Enough problems are known; there is no use in reading on. */
  get isFull(): boolean {
    return this.#count >= MOST_COUNTED;
  }

  /** What to throw: tells the first problem and counts the others. There must be one. */
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

  /** The value as its schema reads it; nothing, and problems added, if it does not fit. */
  read<Value>(schema: z.core.$ZodType<Value>, value: unknown, path: Path): Value | undefined {
    const result = z.safeParse(schema, value);
    if (result.success) return result.data;
    // Read again for the words: with a parameter, zod takes a way that is three times slower.
    for (const issue of z.safeParse(schema, value, IN_OUR_WORDS).error?.issues ?? [])
      this.add([...path, ...issue.path], issue.message);
    return undefined;
  }

  /**
   * Reads a list member by member, and shows `inspect` those that fit. Not left to the schema of the whole, which would keep
   * an object for every problem of a list that may hold millions. Not all members are read once problems are many.
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
