/** Whole runs for the tests: the command in this process, and its workers too. */

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { BadInput } from '../../model/format/index.js';
import { subjectNamed } from '../../properties/subjects/registry.js';
import { main } from '../main.js';
import type { Output, Surroundings } from '../surroundings.js';
import type { Crew, Outcome } from './crew.js';
import type { Results, Task, TaskKind, TaskOf } from './tasks.js';
import { perform } from './tasks.js';

export interface Call {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

class Capture extends Writable implements Output {
  text = '';
  isTTY: boolean;
  columns: number;

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

/** Told of each task before it is done; what it throws, the worker throws. */
export type Spy = (task: Task) => void | Promise<void>;

/** Workers that share this process: they cannot die, and so tell nothing of those that do. */
export const rehearsingCrew = (spy: Spy = () => undefined): Crew => ({
  run: async <Kind extends TaskKind>(task: TaskOf<Kind>): Promise<Outcome<Results[Kind]>> => {
    const workplace = {
      subjectNamed,
      monotonic: () => performance.now(),
      alive: () => undefined,
      begin: () => undefined,
    };
    try {
      const each = task as Task;
      await spy(each);
      return { kind: 'done', result: (await perform(each, workplace)) as Results[Kind] };
    } catch (error) {
      if (error instanceof BadInput) throw error;
      return { kind: 'failed', how: 'threw', detail: String(error), program: undefined };
    }
  },
  end: () => Promise.resolve(),
});

/** `columns`: width of the terminal; 0 if there is none. */
export const rehearse = async (
  words: readonly string[],
  { columns = 0, ...changes }: Partial<Surroundings> & { readonly columns?: number } = {},
): Promise<Call> => {
  const stdout = new Capture(columns);
  const stderr = new Capture(0);
  const code = await main(words, {
    stdin: () => Readable.from([]),
    stdout,
    stderr,
    unread: () => false,
    env: { NO_COLOR: '1' },
    monotonic: () => performance.now(),
    today: () => new Date(0),
    freshSeed: () => 'fresh',
    subjectNamed,
    crew: () => rehearsingCrew(),
    onInterrupt: () => () => undefined,
    ...changes,
  });
  return { code, out: stdout.text, err: stderr.text };
};

/** Every file below a directory, by its path from there. */
export const filesBelow = async (directory: string): Promise<Readonly<Record<string, string>>> => {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const contents = await Promise.all(paths.toSorted().map((path) => readFile(path, 'utf8')));
  return Object.fromEntries(paths.toSorted().map((path, index) => [path.slice(directory.length + 1), contents[index]]));
};
