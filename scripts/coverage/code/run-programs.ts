/**
 * A process that runs programs and reports which code of the machines ran. It reads a job from standard input and writes V8's counts to
 * standard output. V8 counts for the whole process, and blocks only in code compiled after counting starts, so the harness is imported
 * only then.
 */

import type { Profiler } from 'node:inspector/promises';
import { Session } from 'node:inspector/promises';
import { text } from 'node:stream/consumers';
import type { Job } from './measured-programs.js';

const MACHINES = ['impl', 'model'].map((folder) => new URL(`../../../${folder}/`, import.meta.url).href);

/** The top level of a file always runs, and the source map cannot locate it. */
const isWholeFile = ({ ranges }: Profiler.FunctionCoverage): boolean => ranges[0].startOffset === 0;

/** c8 ignores functions without a name, and functions without block coverage, which are those that never ran. */
const complete = ({ functionName, ranges }: Profiler.FunctionCoverage): Profiler.FunctionCoverage => ({
  functionName: functionName || '(anonymous)',
  ranges,
  isBlockCoverage: true,
});

const job = JSON.parse(await text(process.stdin)) as Job;

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

const { runPrograms } = await import('./measured-programs.js');
await runPrograms(job);

const { result } = await session.post('Profiler.takePreciseCoverage');
session.disconnect();
const machines = result
  .filter(({ url }) => MACHINES.some((folder) => url.startsWith(folder)))
  .map(({ url, functions }) => ({ url, functions: functions.filter((each) => !isWholeFile(each)).map(complete) }));
process.stdout.write(JSON.stringify({ result: machines }));
