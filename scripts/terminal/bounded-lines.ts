/** Reading from streams that may never end. */

import type { Readable } from 'node:stream';
import { LARGEST_FILE, readPieces } from '../../properties/corpus/store.js';
import { BadInput } from '../../properties/formats/index.js';

const LINE_END = 0x0a;

/** The lines of a stream, without their ends. Throws `BadInput` at one that is longer than 16 MiB, and if the stream cannot be read. */
export async function* readLines(stream: Readable, source: string): AsyncGenerator<string, void> {
  let partial: Buffer[] = [];
  let bytes = 0;
  let number = 1;
  for await (const chunk of readPieces(stream, source)) {
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
  if (bytes <= LARGEST_FILE) return;
  throw new BadInput(source, `longer than ${LARGEST_FILE} bytes; give one program a line`, { place: `line ${number}` });
};
