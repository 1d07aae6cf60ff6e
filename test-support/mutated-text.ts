/** Mutations of JSON texts, for tests of readers: at the level of bytes, of tokens, and of the structure of a document. */

import fc from 'fast-check';

/** Numbers that a mutation takes modulo what there is to choose from, so that it fits every text. */
export interface Mutation {
  readonly level: 'bytes' | 'tokens' | 'structure';
  readonly action: number;
  readonly at: number;
  readonly other: number;
}

export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    level: fc.constantFrom('bytes', 'tokens', 'structure'),
    action: fc.nat(1000),
    at: fc.nat(),
    other: fc.nat(),
  }),
  { minLength: 1, maxLength: 4 },
);

/** The bytes of a text after some mutations. `lines`: each line is a document of its own. */
export const mutated = (text: string, steps: readonly Mutation[], lines: boolean): Buffer => {
  let bytes: Buffer = Buffer.from(text);
  for (const step of steps) bytes = lines ? inOneLine(bytes, step) : mutatedBy(bytes, step);
  return bytes;
};

const inOneLine = (bytes: Buffer, step: Mutation): Buffer => {
  const lines = bytes.toString('latin1').split('\n');
  const index = step.other % lines.length;
  lines[index] = mutatedBy(Buffer.from(lines[index], 'latin1'), step).toString('latin1');
  return Buffer.from(lines.join('\n'), 'latin1');
};

const mutatedBy = (bytes: Buffer, step: Mutation): Buffer => {
  switch (step.level) {
    case 'bytes':
      return withBytes(bytes, step);
    case 'tokens':
      return Buffer.from(withTokens(bytes.toString('utf8'), step));
    case 'structure':
      return Buffer.from(withStructure(bytes.toString('utf8'), step));
    default:
      return step.level satisfies never;
  }
};

const chosen = <Item>(items: readonly Item[], number: number): Item => items[number % items.length];

/** What readers stumble over: control characters, bad UTF-8, the byte order mark, the ends of a string. */
const BYTES = [[0], [0x1b], [0xc2, 0x9b], [0xe2, 0x80, 0xae], [0xff], [0xc0, 0x80], [0xef, 0xbb, 0xbf], [0x22], [0x5c]];

const withBytes = (bytes: Buffer, { action, at, other }: Mutation): Buffer => {
  const start = at % (bytes.length + 1);
  const end = Math.min(bytes.length, start + (other % 64));
  const [before, inside, after] = [bytes.subarray(0, start), bytes.subarray(start, end), bytes.subarray(end)];
  switch (action % 5) {
    case 0:
      return Buffer.concat([before, Buffer.from([other % 256]), bytes.subarray(start + 1)]);
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, inside, inside, after]);
    case 3:
      return Buffer.concat([before, Buffer.from(chosen(BYTES, other)), bytes.subarray(start)]);
    default:
      return before;
  }
};

const SCALARS = [null, true, false, 0, -0, -1, 0.5, 1e21, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, 2 ** 53];
const CONTROLS = ['\u001b[2J', '\u009b', '\u202e', '\u2028', '\ud800', 'a\nb'];
const WORDS = [
  '',
  '__proto__',
  'constructor',
  '0x',
  '0xffffffffff',
  '../../../etc/passwd',
  '/dev/zero',
  '-c',
  '</script>',
];
const HOLDERS = [[], {}, [[]], [null], { '\u001b\u009b': 1 }, Array.from({ length: 300 }, () => 0)];
const NASTY: readonly unknown[] = [...SCALARS, ...CONTROLS, ...WORDS, 'x'.repeat(5000), ...HOLDERS];

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[[\]{},:]/g;
const TOKENS = [
  ...NASTY.map((each) => JSON.stringify(each)),
  '1e999',
  '-1e-999',
  '9'.repeat(400),
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
];

const withTokens = (text: string, { action, at, other }: Mutation): string => {
  const tokens = [...text.matchAll(TOKEN)];
  if (tokens.length === 0) return chosen(TOKENS, other);
  const { 0: token, index } = chosen(tokens, at);
  const [before, after] = [text.slice(0, index), text.slice(index + token.length)];
  switch (action % 4) {
    case 0:
      return before + chosen(TOKENS, other) + after;
    case 1:
      return before + chosen(tokens, other)[0] + after;
    case 2:
      return before + after;
    default:
      return before + token.repeat(2 + (other % 200)) + after;
  }
};

/** An object or a list. */
type Holder = Record<string, unknown> | unknown[];
interface Slot {
  readonly holder: Holder;
  readonly key: string;
}

const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;

const slotsIn = (value: unknown): readonly Slot[] =>
  isHolder(value)
    ? Object.keys(value).flatMap((key) => [{ holder: value, key }, ...slotsIn(valueIn({ holder: value, key }))])
    : [];

const valueIn = ({ holder, key }: Slot): unknown => (holder as Record<string, unknown>)[key];

/** As an own property, even under `__proto__`. */
const put = ({ holder, key }: Slot, value: unknown): void => {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
};

const withStructure = (text: string, { action, at, other }: Mutation): string => {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return text;
  }
  const slots = slotsIn(root);
  if (slots.length === 0) return JSON.stringify(chosen(NASTY, other));
  const slot = chosen(slots, at);
  const value = valueIn(slot);
  switch (action % 8) {
    case 0:
      remove(slot);
      break;
    case 1:
      put(slot, chosen(NASTY, other));
      break;
    case 2:
      put(slot, structuredClone(valueIn(chosen(slots, other))));
      break;
    case 3:
      put(slot, [value, value]);
      break;
    case 4:
      if (Array.isArray(value)) put(slot, Array.from({ length: 2 + (other % 50) }, () => value).flat());
      break;
    case 5:
      if (Array.isArray(value)) put(slot, value.toReversed());
      break;
    case 6:
      remove(slot);
      put(
        { ...slot, key: chosen(['__proto__', 'constructor', '\u001b[2J\u009b', 'x'.repeat(5000), ''], other) },
        value,
      );
      break;
    default:
      put(slot, nested(value, 1 + (other % 120)));
  }
  return JSON.stringify(root);
};

const remove = ({ holder, key }: Slot): void => {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else Reflect.deleteProperty(holder, key);
};

const nested = (value: unknown, depth: number): unknown => (depth === 0 ? value : [nested(value, depth - 1)]);
