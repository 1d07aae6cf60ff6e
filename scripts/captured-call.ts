/** Calls the command in this process and captures what it prints, for tests. */

import { Readable, Writable } from 'node:stream';
import { subjectNamed } from '../properties/subjects/registry.js';
import { main } from './main.js';
import type { Output, Surroundings } from './surroundings.js';

export interface CapturedCall {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

class Capture extends Writable implements Output {
  text = '';
  readonly isTTY = false;
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** The clock of the calendar stands still, and nobody interrupts, unless `changes` says otherwise. */
export const capturedCall = async (
  words: readonly string[],
  changes: Partial<Surroundings> = {},
): Promise<CapturedCall> => {
  const stdout = new Capture();
  const stderr = new Capture();
  const code = await main(words, {
    stdin: () => Readable.from([]),
    stdout,
    stderr,
    unread: () => false,
    env: {},
    monotonic: () => performance.now(),
    today: () => new Date(0),
    freshSeed: () => 'fresh',
    subjectNamed,
    onInterrupt: () => () => undefined,
    ...changes,
  });
  return { code, out: stdout.text, err: stderr.text };
};
