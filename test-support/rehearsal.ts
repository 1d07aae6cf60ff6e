/** Whole runs for the tests: the command in this process, and its workers too. */

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BadInput } from '../properties/formats/index.js';
import { subjectNamed } from '../properties/subjects/subject-names.js';
import type { CapturedCall, Changes } from './captured-call.js';
import { capturedCall } from './captured-call.js';
import type { Crew, Outcome } from '../scripts/campaign/crew.js';
import type { Results, Task, TaskKind, TaskOf } from '../scripts/campaign/tasks.js';
import { perform } from '../scripts/campaign/tasks.js';

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

export const rehearse = (words: readonly string[], changes: Changes = {}): Promise<CapturedCall> =>
  capturedCall(words, { env: { NO_COLOR: '1' }, subjectNamed, crew: () => rehearsingCrew(), ...changes });

/** Every file below a directory, by its path from there. */
export const filesBelow = async (directory: string): Promise<Readonly<Record<string, string>>> => {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const contents = await Promise.all(paths.toSorted().map((path) => readFile(path, 'utf8')));
  return Object.fromEntries(paths.toSorted().map((path, index) => [path.slice(directory.length + 1), contents[index]]));
};
