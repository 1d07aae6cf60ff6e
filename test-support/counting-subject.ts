/** A machine of ours as a subject outside the process that counts edges of its own code. */

import type { Program } from '../model/vocabulary/index.js';
import { OPS } from '../model/vocabulary/index.js';
import { versionOne } from '../properties/subjects/capabilities.js';
import { CommandNotAllowed, IMPL, subjectNamed } from '../properties/subjects/subject-names.js';
import type { ExternalSubject } from '../properties/subjects/subject.js';
import { traceOf } from '../properties/trace-of.js';
import type { CapturedCall } from './captured-call.js';
import { runInProcess } from './in-process-run.js';

/** An edge for each kind of step, one for each remainder of their number, and one that no program reaches. */
const REMAINDERS = 16;
export const EDGES = OPS.length + REMAINDERS + 1;
export const edgesOf = ({ steps }: Program): readonly number[] => [
  ...new Set([...steps.map(({ op }) => OPS.indexOf(op)), OPS.length + (steps.length % REMAINDERS)]),
];

export const COUNTING: ExternalSubject = {
  kind: 'external',
  name: 'exec:counting',
  start: () => Promise.resolve({ ...versionOne('counting'), version: 2, inFlight: 4, edges: EDGES }),
  answer: (program) =>
    Promise.resolve({ kind: 'trace', trace: { ...traceOf(IMPL.create(), program), edges: edgesOf(program) } }),
  close: () => Promise.resolve(undefined),
};

/** The command, which knows the subject by its name. */
export const countingCall = async (...words: readonly string[]): Promise<CapturedCall> =>
  await runInProcess(words, {
    subjectNamed: (name, where, settings) => {
      if (name !== COUNTING.name) return subjectNamed(name, where, settings);
      if (settings.allowed !== 'all' && !settings.allowed.includes(name)) throw new CommandNotAllowed(where, name);
      return COUNTING;
    },
  });
