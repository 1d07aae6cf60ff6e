/** Walks over JSON text without making values of it. */

import type { GuestEntry } from '../../model/vocabulary/index.js';
import { guestEntry } from '../../model/vocabulary/index.js';
import { NOTHING } from './trace-contents.js';

/** Any number of so many digits is exact. */
const MOST_DIGITS = 15;
const ADDRESS_DIGITS = 8;
const ENTRY_DIGITS = 16;
/** Together with the nesting of our own, still below what any text may have. */
const MOST_SKIPPED_DEPTH = 50;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LOWER_A = 0x61;
const LOWER_F = 0x66;
const BACKSLASH = 0x5c;
const [TAB, LINE_FEED, CARRIAGE_RETURN, BLANK] = [0x09, 0x0a, 0x0d, 0x20] as const;
export const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d] as const;
/** What may follow the digits of a number, were it no whole number. */
const NOT_WHOLE: ReadonlySet<number> = new Set(['.', 'e', 'E'].map((mark) => mark.charCodeAt(0)));

export class NotKnown extends Error {}
export const REFUSED = new NotKnown();

/** Knows only as much of JSON as subjects use, and throws `REFUSED` at all else. */
export class JsonScanner {
  protected at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** The byte here; −1 at the end. */
  private byte(): number {
    return this.at < this.bytes.length ? this.bytes[this.at] : -1;
  }

  /** The next byte that is not blank; −1 at the end. */
  protected peek(): number {
    let code = this.byte();
    while (code === BLANK || code === TAB || code === LINE_FEED || code === CARRIAGE_RETURN) {
      this.at++;
      code = this.byte();
    }
    return code;
  }

  protected takes(code: number): boolean {
    if (this.peek() !== code) return false;
    this.at++;
    return true;
  }

  protected expect(code: number): void {
    if (this.peek() !== code) throw REFUSED;
    this.at++;
  }

  /**
   * Takes a key and its colon. Returns its index among `words`, where it is looked for from `first` on, because keys mostly come in the same
   * order; −1 for any other key.
   */
  protected key(words: readonly string[], first: number): number {
    this.expect(QUOTE);
    const index = this.wordFrom(words, first);
    if (index === -1) this.skipString();
    this.expect(COLON);
    return index;
  }

  /** Takes one of a few words behind its opening quote; takes nothing and returns −1 if it is another. They end with the closing quote. */
  protected wordFrom(words: readonly string[], first: number): number {
    for (let count = 0; count < words.length; count++) {
      const index = first + count < words.length ? first + count : first + count - words.length;
      if (!this.matches(words[index])) continue;
      this.at += words[index].length;
      return index;
    }
    return -1;
  }

  private matches(word: string): boolean {
    const { bytes, at } = this;
    if (at + word.length > bytes.length) return false;
    for (let index = 0; index < word.length; index++) {
      if (bytes[at + index] !== word.charCodeAt(index)) return false;
    }
    return true;
  }

  /** Takes a whole number from 0 to `most`. */
  protected natural(most: number): number {
    let code = this.peek();
    const begin = this.at;
    let value = 0;
    while (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO);
      this.at++;
      code = this.byte();
    }
    const digits = this.at - begin;
    const isPlain = digits === 1 || (digits > 1 && digits <= MOST_DIGITS && this.bytes[begin] !== ZERO);
    if (!isPlain || NOT_WHOLE.has(code) || value > most) throw REFUSED;
    return value;
  }

  /** Takes the quotes and `0x` of a hex string and returns how many digits stand between `at` and the closing quote, at most `most`. */
  private hexDigits(most: number): number {
    this.expect(QUOTE);
    if (!this.matches('0x')) throw REFUSED;
    this.at += 2;
    for (let digits = 0; digits <= most && this.at + digits < this.bytes.length; digits++) {
      if (this.bytes[this.at + digits] === QUOTE && digits > 0) return digits;
    }
    throw REFUSED;
  }

  private hexUntil(end: number): number {
    let value = 0;
    for (; this.at < end; this.at++) {
      const code = this.bytes[this.at];
      if (code >= ZERO && code <= NINE) value = value * 16 + (code - ZERO);
      else if (code >= LOWER_A && code <= LOWER_F) value = value * 16 + (code - LOWER_A + 10);
      else throw REFUSED;
    }
    return value;
  }

  protected address(): number {
    const digits = this.hexDigits(ADDRESS_DIGITS);
    const value = this.hexUntil(this.at + digits);
    this.at++;
    return value;
  }

  protected entry(): GuestEntry {
    const digits = this.hexDigits(ENTRY_DIGITS);
    const end = this.at + digits;
    const high = digits > ADDRESS_DIGITS ? this.hexUntil(end - ADDRESS_DIGITS) : 0;
    const low = this.hexUntil(end);
    this.at++;
    return guestEntry(low, high);
  }

  protected string(): string {
    this.expect(QUOTE);
    const begin = this.at;
    this.skipString();
    return this.bytes.toString('utf8', begin, this.at - 1);
  }

  /** Behind the opening quote. */
  private skipString(): void {
    for (;;) {
      const code = this.byte();
      if (code < BLANK || code === BACKSLASH) throw REFUSED;
      this.at++;
      if (code === QUOTE) return;
    }
  }

  /** Takes any value. */
  protected skip(depth = 0): void {
    if (depth > MOST_SKIPPED_DEPTH) throw REFUSED;
    const code = this.peek();
    if (code === QUOTE) {
      this.at++;
      this.skipString();
    } else if (code === OPEN_LIST) {
      this.at++;
      for (let more = !this.takes(CLOSE_LIST); more; more = this.more(CLOSE_LIST)) this.skip(depth + 1);
    } else if (code === OPEN_OBJECT) {
      this.at++;
      for (let more = !this.takes(CLOSE_OBJECT); more; more = this.more(CLOSE_OBJECT)) {
        this.key([], 0);
        this.skip(depth + 1);
      }
    } else if (!this.skipLiteral()) {
      if (code === MINUS) this.at++;
      this.natural(Number.MAX_SAFE_INTEGER);
    }
  }

  private skipLiteral(): boolean {
    const literal = LITERALS.find((each) => this.matches(each));
    if (literal === undefined) return false;
    this.at += literal.length;
    return true;
  }

  /** Behind a member: whether another one follows. If not, takes the closing bracket. */
  protected more(close: number): boolean {
    if (this.takes(COMMA)) return true;
    this.expect(close);
    return false;
  }

  protected takesNull(): boolean {
    this.peek();
    if (!this.matches('null')) return false;
    this.at += 4;
    return true;
  }

  protected end(): void {
    this.peek();
    if (this.at !== this.bytes.length) throw REFUSED;
  }

  /** Takes an object, and has `take` take the value of each known key; the others are skipped. A key that comes twice is refused. */
  protected members<Key extends string>(keys: readonly Key[], take: (key: Key) => void): void {
    const words = closed(keys);
    let next = 0;
    let met = 0;
    this.expect(OPEN_OBJECT);
    for (let more = !this.takes(CLOSE_OBJECT); more; more = this.more(CLOSE_OBJECT)) {
      const index = this.key(words, next);
      met = withKey(met, index);
      next = index + 1;
      if (index === -1) this.skip();
      else take(keys[index]);
    }
  }

  protected list<Member>(take: () => Member): readonly Member[] {
    this.expect(OPEN_LIST);
    if (this.takes(CLOSE_LIST)) return NOTHING;
    const members: Member[] = [];
    do members.push(take());
    while (this.more(CLOSE_LIST));
    return members;
  }
}

/** Words as they stand behind an opening quote. */
export const closed = (words: readonly string[]): readonly string[] => words.map((word) => `${word}"`);

const LITERALS = ['true', 'false', 'null'];

/** The keys that have been met, as a sum of bits; one that comes twice is refused. */
export const withKey = (met: number, index: number): number => {
  if (index === -1) return met;
  if ((met & (1 << index)) !== 0) throw REFUSED;
  return met | (1 << index);
};
