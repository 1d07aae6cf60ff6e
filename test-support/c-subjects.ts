/** Subjects in C, for tests: compilers, programs for them, and their answers to many programs at once. */

import { spawnSync } from 'node:child_process';
import type { Observable, Observation, Paging, Program, ReportedShadow, Trace } from '../model/vocabulary/index.js';
import { OBSERVABLES, bareOutcome } from '../model/vocabulary/index.js';
import { formatProgram, parseTrace } from '../properties/formats/index.js';
import { ProgramWriter } from '../properties/formats/program-words.js';
import { TraceReader } from '../properties/formats/trace-words.js';
import { programArbitrary } from '../properties/generators/index.js';
import { programSeed, randomFor } from '../properties/seeds.js';

export const SANITIZERS = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'];

export const HELLO = '{"format":"shadowdiff-hello/2"}\n';

export const isInstalled = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

/** For the title of tests that are skipped: why they are. */
export const unless = (present: boolean, remedy: string): string => (present ? '' : ` (skipped: ${remedy})`);

/** Programs of a campaign, each the same in every run. */
export const programsOf = (
  campaign: string,
  { first, count, paging }: { readonly first: number; readonly count: number; readonly paging: Paging | 'both' },
): readonly Program[] => {
  const arbitrary = programArbitrary({ paging });
  return Array.from(
    { length: count },
    (_, index) => arbitrary.generate(randomFor(programSeed(campaign, first + index)), undefined).value.program,
  );
};

export interface Output {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Gives a command all of its input at once. */
export const output = (command: string, input: string | Buffer, ...options: readonly string[]): Output => {
  const { status, stdout, stderr } = spawnSync(command, options, { input, maxBuffer: 2 ** 30 });
  return { status, stdout, stderr: stderr.toString('utf8') };
};

interface Hello {
  readonly observes: readonly Observable[];
  readonly edges: number;
}

export const helloOf = (line: string): Hello => {
  const { observes, edges } = JSON.parse(line) as Hello;
  return { observes: OBSERVABLES.filter((each) => each === 'outcome' || observes.includes(each)), edges };
};

/** What a subject of the C header answers in JSON. */
export const jsonTraces = (command: string, programs: readonly Program[]): readonly Trace[] => {
  const { stdout } = output(command, `${HELLO}${programs.map(formatProgram).join('\n')}\n`, '--json');
  const [hello, ...lines] = stdout.toString('utf8').trimEnd().split('\n');
  if (lines.length !== programs.length) throw new Error(`${lines.length} answers to ${programs.length} programs`);
  return lines.map((line, index) => parseTrace(line, 'answer', programs[index], helloOf(hello)));
};

/** The same in the binary encoding. */
export const binaryTraces = (command: string, programs: readonly Program[]): readonly Trace[] => {
  const writer = new ProgramWriter();
  for (const program of programs) writer.add(program);
  const { stdout } = output(command, Buffer.concat([Buffer.from(HELLO), writer.take()]));
  const start = stdout.indexOf(10) + 1;
  const reader = new TraceReader(helloOf(stdout.toString('utf8', 0, start)), 'answer');
  const words = new Uint32Array(Uint8Array.from(stdout.subarray(start)).buffer);
  let at = 0;
  return programs.map((program) => {
    const end = at + 1 + words[at];
    const trace = reader.trace(words.subarray(at + 1, end), program);
    at = end;
    return trace;
  });
};

/** All of a trace that formats.md compares, as text. */
export const comparedTrace = ({ created, steps, destroyed }: Trace): string =>
  JSON.stringify([created, ...steps, destroyed].map(compared));

const compared = ({ outcome, references, stores, tables, switcher }: Observation): unknown => {
  if (outcome.kind === 'host-bug') return outcome.kind;
  return bareOutcome(outcome.kind) ? outcome : { outcome, references, stores, tables, switcher };
};

/** As `comparedTrace`, with the shadow tables of each moment. Host pages count, but their numbers are the subject's own. */
export const comparedTraceWithShadow = (trace: Trace): string => {
  let shadow = '';
  const shadows = [trace.created, ...trace.steps].map((observation) => {
    if (observation.shadow !== undefined) shadow = comparedShadow(observation.shadow);
    return bareOutcome(observation.outcome.kind) ? '' : shadow;
  });
  return `${comparedTrace(trace)}\n${shadows.join('\n')}`;
};

const comparedShadow = ({ current, roots, tables, pages, leaves }: ReportedShadow): string =>
  JSON.stringify([
    // Where nothing is allocated, no slot is current.
    roots[current] && current,
    roots.map((root) => root && (root.guestRoot ?? 'none')),
    pages.length,
    tables.map(({ slot, depth, vaddr }) => `${slot} ${depth} ${vaddr}`).toSorted(),
    leaves.map((leaf) => Object.values(leaf).join(' ')).toSorted(),
  ]);
