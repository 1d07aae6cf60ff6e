import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { LARGEST_FILE } from '../../properties/corpus/store.js';
import { readLines } from './bounded-lines.js';

const linesOf = async (...chunks: readonly (string | Buffer)[]): Promise<readonly string[]> => {
  const lines: string[] = [];
  for await (const line of readLines(Readable.from(chunks), 'here')) lines.push(line);
  return lines;
};

const MEBIBYTE = Buffer.alloc(2 ** 20, 'x');
function* endless(): Generator<Buffer, never> {
  for (;;) yield MEBIBYTE;
}

describe('lines', () => {
  test('come whole, however they were cut', async () => {
    expect(await linesOf('on', 'e\ntw', 'o\n', '\nfour')).toEqual(['one', 'two', '', 'four']);
  });

  test('keep letters that were cut in two', async () => {
    const letter = Buffer.from('é');
    expect(await linesOf(letter.subarray(0, 1), letter.subarray(1), '\n')).toEqual(['é']);
  });

  test('that never end are refused, with their number', async () => {
    const lines = readLines(
      Readable.from(
        (function* () {
          yield Buffer.from('short\n');
          yield* endless();
        })(),
      ),
      'here',
    );
    expect((await lines.next()).value).toBe('short');
    await expect(lines.next()).rejects.toThrow(`here: line 2: longer than ${LARGEST_FILE} bytes`);
  });
});
