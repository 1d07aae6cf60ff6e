/** Reading from streams that may never end. */

import type { Readable } from 'node:stream';
import { BadInput } from '../../../properties/formats/index.js';

/** As for a file of the corpus: the longest program that fits the formats stays far below. */
export const MOST_BYTES = 16 * 2 ** 20;
const LINE_END = 0x0a;

/** The whole of a stream. Throws `BadInput` if it is longer than 16 MiB. */
export const readBounded = async (stream: Readable, source: string): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of buffersOf(stream)) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new BadInput(source, `more than ${MOST_BYTES} bytes; give one program`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** The lines of a stream, without their ends. Throws `BadInput` at one that is longer than 16 MiB. */
export async function* readLines(stream: Readable, source: string): AsyncGenerator<string, void> {
  let partial: Buffer[] = [];
  let bytes = 0;
  let number = 1;
  for await (const chunk of buffersOf(stream)) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      refuseLong(bytes + end - start, source, number);
      yield Buffer.concat([...partial, chunk.subarray(start, end)]).toString('utf8');
      partial = [];
      bytes = 0;
      number++;
      start = end + 1;
    }
    partial.push(chunk.subarray(start));
    bytes += chunk.length - start;
    refuseLong(bytes, source, number);
  }
  if (bytes > 0) yield Buffer.concat(partial).toString('utf8');
}

const refuseLong = (bytes: number, source: string, number: number): void => {
  if (bytes <= MOST_BYTES) return;
  throw new BadInput(source, `longer than ${MOST_BYTES} bytes; give one program a line`, { place: `line ${number}` });
};

async function* buffersOf(stream: Readable): AsyncGenerator<Buffer, void> {
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}
