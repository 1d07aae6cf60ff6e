/** Calls the command in this process and captures what it prints, for tests. */

import { Readable, Writable } from 'node:stream';
import { visibleLines } from '../properties/formats/index.js';
import { InProcessPool } from '../scripts/campaign/in-process-pool.js';
import { main } from '../scripts/cli/main.js';
import type { Output, Surroundings } from '../scripts/terminal/surroundings.js';

export interface CapturedCall {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

class Capture extends Writable implements Output {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(columns: number) {
    super();
    this.isTTY = columns > 0;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** `columns`: of a terminal that shows standard output; left out, it is none. */
export type Changes = Partial<Surroundings> & { readonly columns?: number };

/**
 * Surroundings that print into strings. The clock of the calendar stands still, and nothing interrupts, unless `changes` says
 * otherwise.
 */
export const capturing = ({ columns = 0, ...changes }: Changes = {}): {
  readonly surroundings: Surroundings;
  readonly stdout: { text: string };
  readonly stderr: { text: string };
} => {
  const stdout = new Capture(columns);
  const stderr = new Capture(0);
  const surroundings: Surroundings = {
    stdin: () => Readable.from([]),
    stdout,
    stderr,
    unread: () => false,
    env: {},
    monotonic: () => performance.now(),
    today: () => new Date(0),
    freshSeed: () => 'fresh',
    workers: () => new InProcessPool(surroundings),
    onInterrupt: () => () => undefined,
    ...changes,
  };
  return { surroundings, stdout, stderr };
};

/** No command prints what a terminal would obey; every test of a command checks it. */
export const expectPrintable = (text: string): void => {
  if (visibleLines(text) !== text) throw new Error(`unprintable output: ${JSON.stringify(text)}`);
};

export const capturedCall = async (words: readonly string[], changes: Changes = {}): Promise<CapturedCall> => {
  const { surroundings, stdout, stderr } = capturing(changes);
  const code = await main(words, surroundings);
  for (const { text } of [stdout, stderr]) if (changes.columns === undefined) expectPrintable(text);
  return { code, out: stdout.text, err: stderr.text };
};
