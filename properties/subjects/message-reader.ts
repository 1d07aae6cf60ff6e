/** Cuts the output of a subject into messages: lines, or counted words (formats.md, Subject protocol). */

import { MOST_TRACE_WORDS } from '../formats/index.js';
import type { Encoding } from './capabilities.js';

/** No trace is longer than this, in bytes: even those of the longest programs are far shorter. */
export const LONGEST_MESSAGE = 64 * 2 ** 20;
const NEWLINE = 0x0a;
const WORD_BYTES = 4;

export class MessageReader {
  /** Of everything from now on. */
  encoding: Encoding = 'json';
  /** Pieces of the unfinished message, and their bytes. */
  private pieces: Buffer[] = [];
  private bytes = 0;
  /** Bytes of the message whose length has been read. */
  private promised: number | undefined = undefined;

  /** A message has begun and not ended. */
  get isInside(): boolean {
    return this.bytes > 0 || this.promised !== undefined;
  }

  /** Takes a piece of output and adds the messages that it completes, without newline or length. Returns what is wrong, if a message is too long. */
  read(chunk: Buffer, messages: Buffer[]): string | undefined {
    return this.encoding === 'json' ? this.readLines(chunk, messages) : this.readWords(chunk, messages);
  }

  private readLines(chunk: Buffer, messages: Buffer[]): string | undefined {
    let begin = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, begin)) {
      messages.push(this.complete(chunk.subarray(begin, end)));
      begin = end + 1;
    }
    this.keep(chunk.subarray(begin));
    return this.bytes > LONGEST_MESSAGE ? `a line longer than ${LONGEST_MESSAGE} bytes` : undefined;
  }

  private readWords(chunk: Buffer, messages: Buffer[]): string | undefined {
    let begin = 0;
    for (;;) {
      const missing = (this.promised ?? WORD_BYTES) - this.bytes;
      if (chunk.length - begin < missing) break;
      const whole = this.complete(chunk.subarray(begin, begin + missing));
      begin += missing;
      if (this.promised === undefined) {
        const words = whole.readUInt32LE(0);
        if (words > MOST_TRACE_WORDS) return `a message of ${words} words, where ${MOST_TRACE_WORDS} are the most`;
        this.promised = words * WORD_BYTES;
      } else {
        messages.push(whole);
        this.promised = undefined;
      }
    }
    this.keep(chunk.subarray(begin));
    return undefined;
  }

  private keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.pieces.push(piece);
    this.bytes += piece.length;
  }

  private complete(last: Buffer): Buffer {
    if (this.bytes === 0) return last;
    const whole = Buffer.concat([...this.pieces, last]);
    this.pieces = [];
    this.bytes = 0;
    return whole;
  }
}
