/**
 * A process of its own that runs programs and answers which code of the machines ran: a job on standard input, what V8 counted
 * on standard output. V8 counts for a whole process, and counts blocks only in code that it compiled after it was told to: so
 * nothing of the harness is imported before that.
 */

import type { Profiler } from 'node:inspector/promises';
import { Session } from 'node:inspector/promises';
import { text } from 'node:stream/consumers';
import type { Job } from './measured-programs.js';

const MACHINES = ['impl', 'model'].map((folder) => new URL(`../../../${folder}/`, import.meta.url).href);

/** What is at the top level of a file ran if it was loaded; the source map knows nothing of where that begins and ends. */
const isWholeFile = ({ ranges }: Profiler.FunctionCoverage): boolean => ranges[0].startOffset === 0;

/** c8 leaves out functions without a name, and the ranges of those that V8 did not look into because they never ran. */
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
