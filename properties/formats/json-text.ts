/**
 * Reads JSON text, and reports where it is malformed. The engine's parser does the reading, once the text is known to be neither deep nor
 * full enough to cost gigabytes. Its errors do not always name a position, so text that it rejects is scanned again here for the first
 * character that does not fit.
 */

import { BadInput } from './bad-input.js';
import { quoted } from './visible-text.js';

/** What held the text, for the message that it is empty. */
export type Carrier = 'file' | 'answer';

/** What the grammar allows between two tokens. */
type Expected =
  'a value' | 'a value or "]"' | 'a key' | 'a key or "}"' | '":"' | '"," or "]"' | '"," or "}"' | 'the end of the text';

/** Where a text stops being JSON, in UTF-16 units from 0, and what should stand there. */
interface Flaw {
  readonly offset: number;
  readonly expected: Expected | 'a character that a string may hold' | 'the closing quote of a string';
}

const BLANK = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const FIRST_PRINTABLE = 0x20;

/** The offset after a match at `offset`; `offset` itself if there is none. */
const skip = (pattern: RegExp, text: string, offset: number): number => {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : offset;
};

/** The offset after the string whose opening quote is at `start`, or its flaw. */
const skipString = (text: string, start: number): number | Flaw => {
  let offset = start + 1;
  while (offset < text.length && text[offset] !== '"') {
    const next = text[offset] === '\\' ? skip(ESCAPE, text, offset) : offset + 1;
    if (next === offset || text.charCodeAt(offset) < FIRST_PRINTABLE) break;
    offset = next;
  }
  if (offset >= text.length) return { offset, expected: 'the closing quote of a string' };
  return text[offset] === '"' ? offset + 1 : { offset, expected: 'a character that a string may hold' };
};

/** What may follow a value: the innermost open bracket decides. */
const afterValue = (open: readonly string[]): Expected => {
  const bracket = open.at(-1);
  if (bracket === undefined) return 'the end of the text';
  return bracket === '[' ? '"," or "]"' : '"," or "}"';
};

const takesValue = (expected: Expected): boolean => expected === 'a value' || expected === 'a value or "]"';
const takesKey = (expected: Expected): boolean => expected === 'a key' || expected === 'a key or "}"';

/** What is expected after a punctuation mark; undefined if the mark does not fit. Updates the open brackets. */
const afterPunctuation = (mark: string, expected: Expected, open: string[]): Expected | undefined => {
  if ((mark === '{' || mark === '[') && takesValue(expected)) {
    open.push(mark);
    return mark === '{' ? 'a key or "}"' : 'a value or "]"';
  }
  if (expected.endsWith(` or "${mark}"`)) {
    open.pop();
    return afterValue(open);
  }
  if (mark === ',' && expected.startsWith('","')) return open.at(-1) === '[' ? 'a value' : 'a key';
  return mark === ':' && expected === '":"' ? 'a value' : undefined;
};

/** The first flaw of a text; undefined if it is JSON. Open brackets are kept in a list, so deep nesting needs no stack. */
export const findFlaw = (text: string): Flaw | undefined => {
  const open: string[] = [];
  let expected: Expected = 'a value';
  let offset = skip(BLANK, text, 0);
  while (offset < text.length) {
    const mark = text.charAt(offset);
    let behind: number | Flaw = offset;
    let next: Expected | undefined;
    if (mark === '"' && (takesValue(expected) || takesKey(expected))) {
      behind = skipString(text, offset);
      next = takesKey(expected) ? '":"' : afterValue(open);
    } else if ('{}[],:'.includes(mark)) {
      behind = offset + 1;
      next = afterPunctuation(mark, expected, open);
    } else if (takesValue(expected)) {
      behind = skip(SCALAR, text, offset);
      next = behind === offset ? undefined : afterValue(open);
    }
    if (typeof behind !== 'number') return behind;
    if (next === undefined) return { offset, expected };
    expected = next;
    offset = skip(BLANK, text, behind);
  }
  return expected === 'the end of the text' ? undefined : { offset, expected };
};

/** Line and column of an offset, both counted from 1. */
const placeOf = (text: string, offset: number): string => {
  let line = 1;
  let lineStart = 0;
  for (let end = text.indexOf('\n'); end !== -1 && end < offset; end = text.indexOf('\n', lineStart)) {
    line += 1;
    lineStart = end + 1;
  }
  return `line ${line}, column ${offset - lineStart + 1}`;
};

const malformed = (text: string, source: string): BadInput => {
  const flaw = findFlaw(text) ?? { offset: text.length, expected: 'the end of the text' };
  const place = placeOf(text, flaw.offset);
  if (flaw.offset >= text.length) {
    return new BadInput(source, `the text ends where ${flaw.expected} should stand; look whether it was cut off`, {
      place,
    });
  }
  const found = quoted(String.fromCodePoint(text.codePointAt(flaw.offset) ?? 0));
  return new BadInput(source, `${found} stands where ${flaw.expected} should; correct the JSON there`, { place });
};

// Bounds: the engine takes up to 100 bytes of memory for a bracket that takes one byte of text.

/** Our formats stay below a tenth of it, and recursive code reaches it on any stack. */
const MOST_NESTED = 100;
/** The longest programs and their traces stay far below. */
const MOST_PARTS = 2 ** 22;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING = [0x5b, 0x7b] as const;
const CLOSING = [0x5d, 0x7d] as const;

/** The offset of the quote that closes the string opened at `start`; the last offset of the text if there is none. */
const closingQuote = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    // An even number of backslashes escape each other, and not the quote.
    if ((end - before) % 2 === 1) return end;
  }
  return text.length - 1;
};

/** Throws `BadInput` for a text that is too deep or too full to parse. It may be malformed in any way. */
export const refuseExcess = (text: string, source: string): void => {
  let depth = 0;
  let parts = 1;
  for (let offset = 0; offset < text.length; offset++) {
    switch (text.charCodeAt(offset)) {
      case QUOTE:
        offset = closingQuote(text, offset);
        break;
      case OPENING[0]:
      case OPENING[1]:
        depth++;
        parts++;
        break;
      case CLOSING[0]:
      case CLOSING[1]:
        depth--;
        break;
      case COMMA:
        parts++;
        break;
    }
    if (depth > MOST_NESTED) throw excess(text, offset, source, `brackets nested more than ${MOST_NESTED} deep`);
    if (parts > MOST_PARTS) throw excess(text, offset, source, `more than ${MOST_PARTS} values up to here`);
  }
};

const excess = (text: string, offset: number, source: string, problem: string): BadInput =>
  new BadInput(source, `${problem}; no format needs that`, { place: placeOf(text, offset) });

/** The value that a text holds. Throws `BadInput` if the text is empty, malformed, or too large to parse safely. */
export const readJson = (text: string, source: string, carrier: Carrier): unknown => {
  if (!/\S/.test(text)) throw new BadInput(source, `the ${carrier} is empty; it must hold one JSON object`);
  refuseExcess(text, source);
  try {
    // eslint-disable-next-line no-restricted-properties -- the one place where it is bounded
    return JSON.parse(text);
  } catch {
    throw malformed(text, source);
  }
};
