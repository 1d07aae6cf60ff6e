/** Whole runs for the tests: the command in this process, and its workers too. */

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BadInput } from '../properties/formats/index.js';
import { subjectNamed } from '../properties/subjects/subject-names.js';
import { InProcessPool } from '../scripts/campaign/in-process-pool.js';
import type { Task } from '../scripts/campaign/tasks.js';
import type { Outcome, WorkerPool } from '../scripts/terminal/surroundings.js';
import type { CapturedCall, Changes } from './captured-call.js';
import { capturedCall } from './captured-call.js';

/** Called with each task before it is performed. What it throws, the worker throws; `killed`: the worker does not survive the task. */
export type Spy = (task: Task) => Accident | Promise<Accident>;
type Accident = 'killed' | void;

/** Workers that share this process, watched: they cannot die. `named`: resolves the names of subjects. */
export const spiedPool = (spy: Spy, named = subjectNamed): WorkerPool => {
  const pool = new InProcessPool({ monotonic: () => performance.now(), subjectNamed: named });
  return {
    run: async (task, patience, signal): Promise<Outcome> => {
      try {
        if ((await spy(task as Task)) === 'killed') return { kind: 'killed' };
      } catch (error) {
        if (error instanceof BadInput) throw error;
        return { kind: 'failed', how: 'threw', detail: String(error), program: undefined };
      }
      return await pool.run(task, patience, signal);
    },
    end: () => pool.end(),
  };
};

export const runInProcess = (words: readonly string[], changes: Changes = {}): Promise<CapturedCall> =>
  capturedCall(words, { env: { NO_COLOR: '1' }, ...changes });

/** Every file below a directory, by its path from there. */
export const filesBelow = async (directory: string): Promise<Readonly<Record<string, string>>> => {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const contents = await Promise.all(paths.toSorted().map((path) => readFile(path, 'utf8')));
  return Object.fromEntries(paths.toSorted().map((path, index) => [path.slice(directory.length + 1), contents[index]]));
};
