import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { findFlaw, readJson } from './json-text.js';

const messageOf = (text: string): string => {
  try {
    readJson(text, 'a.json', 'file');
  } catch (error) {
    return String(error);
  }
  return 'read';
};

test.each([
  ['', 'BadInput: a.json: the file is empty; it must hold one JSON object'],
  [' \n\t', 'BadInput: a.json: the file is empty; it must hold one JSON object'],
  ['{"a":}', 'BadInput: a.json: line 1, column 6: "}" stands where a value should; correct the JSON there'],
  ['{\n "a": 1,\n}', 'BadInput: a.json: line 3, column 1: "}" stands where a key should; correct the JSON there'],
  ['[1 2]', 'BadInput: a.json: line 1, column 4: "2" stands where "," or "]" should; correct the JSON there'],
  ['[01]', 'BadInput: a.json: line 1, column 3: "1" stands where "," or "]" should; correct the JSON there'],
  ['{"a" 1}', 'BadInput: a.json: line 1, column 6: "1" stands where ":" should; correct the JSON there'],
  ['{a:1}', 'BadInput: a.json: line 1, column 2: "a" stands where a key or "}" should; correct the JSON there'],
  ['[1}', 'BadInput: a.json: line 1, column 3: "}" stands where "," or "]" should; correct the JSON there'],
  ['{}\n{}', 'BadInput: a.json: line 2, column 1: "{" stands where the end of the text should; correct the JSON there'],
  [
    '["a\nb"]',
    'BadInput: a.json: line 1, column 4: "\\n" stands where a character that a string may hold should; correct the JSON there',
  ],
  [
    '["\\x"]',
    'BadInput: a.json: line 1, column 3: "\\\\" stands where a character that a string may hold should; correct the JSON there',
  ],
  [
    '{"a":[1,',
    'BadInput: a.json: line 1, column 9: the text ends where a value should stand; look whether it was cut off',
  ],
  [
    '["abc',
    'BadInput: a.json: line 1, column 6: the text ends where the closing quote of a string should stand; look whether it was cut off',
  ],
  ['\ufeff{}', 'BadInput: a.json: line 1, column 1: "\\ufeff" stands where a value should; correct the JSON there'],
])('%j', (text, message) => {
  expect(messageOf(text)).toBe(message);
});

test('the answer of a subject is called so', () => {
  expect(() => readJson('', 'exec:x', 'answer')).toThrow('exec:x: the answer is empty; it must hold one JSON object');
});

test('a flaw is found in exactly the texts that the engine refuses', () => {
  const fragments = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\u00e9"',
    '"\\u00',
    '"',
    '\\',
    '1',
    '-',
    '0.5e3',
    'true',
    'nul',
    ' ',
    '\n',
  ];
  const brokenJson = fc
    .tuple(fc.json(), fc.nat(), fc.nat(3), fc.constantFrom('', ...fragments))
    .map(([json, at, cut, inserted]) => {
      const start = at % (json.length + 1);
      return json.slice(0, start) + inserted + json.slice(start + cut);
    });
  const soup = fc.array(fc.constantFrom(...fragments), { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(brokenJson, soup), (text) => {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(findFlaw(text) === undefined).toBe(isJson);
    }),
    { numRuns: 3000 },
  );
});

test('a flaw below many brackets costs no stack', () => {
  expect(findFlaw('['.repeat(300_000))).toEqual({ offset: 300_000, expected: 'a value or "]"' });
});

describe('what would cost too much memory is refused unparsed', () => {
  afterEach(() => vi.restoreAllMocks());

  const refused = (text: string): string => {
    const parse = vi.spyOn(JSON, 'parse');
    const message = messageOf(text);
    expect(parse).not.toHaveBeenCalled();
    return message;
  };

  test.each(['[', '{"a":', '[0,[],', '{"\\"]]]":'])('%j, a thousand times', (opening) => {
    expect(refused(opening.repeat(1000))).toMatch(
      /column \d+: brackets nested more than 100 deep; no format needs that$/,
    );
  });

  test.each(['[]', '{}', '1', '{"a":[]}'])('a list with millions of %s', (item) => {
    const list = `[${Array.from({ length: 2 ** 22 }, () => item).join(',\n')}]`;
    expect(refused(list)).toMatch(/line \d+, column \d+: more than 4194304 values up to here; no format needs that$/);
  });

  test('a hundred brackets and a million values are read', () => {
    expect(messageOf('['.repeat(100) + ']'.repeat(100))).toBe('read');
    expect(messageOf(`[${'[],'.repeat(1_000_000)}0]`)).toBe('read');
  });

  test.each(['"[[["', '"\\""', '"\\\\"', '"\\\\\\"["'])('brackets in strings do not count: %s', (string) => {
    expect(messageOf(`[${Array.from({ length: 300 }, () => string).join(',')}]`)).toBe('read');
  });
});
