/** Measures which lines, branches and functions of the machines ran in the programs that exercised each invariant. */

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { BadInput, whyFailed } from '../../../properties/formats/index.js';
import type { ProgramOptions } from '../../../properties/generators/index.js';
import { determinism } from '../../../properties/invariants/determinism.js';
import { compiledModules } from '../../own-package.js';
import { makeResultDirectory } from '../../terminal/result-directory.js';
import { ProgressDisplay, fitting } from '../../terminal/progress-display.js';
import type { Session } from '../../terminal/session.js';
import type { ExplainedLine, UnreachedLine } from '../coverage-document.js';
import type { Explanations } from '../thresholds.js';
import type { CodeFile } from './code-files.js';
import { codeFiles } from './code-files.js';
import type { FolderShares } from './code-report.js';
import { CodeReport } from './code-report.js';
import type { Job } from './measured-programs.js';

/** In the directory for results. */
const FOLDER = 'code';
const TOTAL = 'total';

export interface CodeOptions extends ProgramOptions {
  readonly campaign: string;
  /** By invariant: the numbers of the campaign's programs that exercised it. */
  readonly programs: ReadonlyMap<string, readonly number[]>;
  /** The directory for results; its code/ is replaced. */
  readonly out: string;
  /** Why no program reaches some code, which the shares then leave out. */
  readonly explanations: Explanations;
  readonly session: Session;
  /** The compiled modules; by default this package's build/. */
  readonly compiled?: string;
}

export interface CodeCoverage {
  readonly perInvariant: ReadonlyMap<string, FolderShares>;
  readonly total: FolderShares;
  readonly unreached: readonly UnreachedLine[];
  readonly explained: readonly ExplainedLine[];
  /** Explanations that do not apply, a sentence each. */
  readonly stale: readonly string[];
}

/**
 * Runs the programs again in lockstep, in one process for each invariant, and writes lcov.info and html/ into code/INVARIANT/ and
 * code/total/. Returns undefined if interrupted. Then, and if it throws, code/ stays unchanged. Throws `BadInput` if `out` cannot be
 * written to, a source is missing or a process was killed.
 */
export const measureCode = async (options: CodeOptions): Promise<CodeCoverage | undefined> => {
  const { out, session, compiled = compiledModules() } = options;
  const files = await codeFiles(compiled);
  await makeResultDirectory('--out', out);
  const measurement = new Measurement(files, new Processes(join(compiled, 'scripts/coverage/code/run-programs.js')));
  const display = new ProgressDisplay(session, (columns) => fitting(measurement.progress(), columns));
  const unsubscribe = session.surroundings.onInterrupt(() => measurement.interrupt());
  try {
    return await measurement.take(options);
  } finally {
    unsubscribe();
    display.end();
  }
};

class Measurement {
  private readonly files: readonly CodeFile[];
  private readonly processes: Processes;
  private interrupted = false;
  private reports = 0;

  constructor(files: readonly CodeFile[], processes: Processes) {
    this.files = files;
    this.processes = processes;
  }

  interrupt(): void {
    this.interrupted = true;
    this.processes.end();
  }

  /** How far it is, the most important part first. */
  progress(): readonly string[] {
    const { done, of } = this.processes;
    return done < of
      ? ['measuring code', `programs of ${done} of ${of} invariants have run again`]
      : ['measuring code', `${this.reports} of ${of} reports written`];
  }

  /** Replaces the old reports only once all new ones are written. */
  async take(options: CodeOptions): Promise<CodeCoverage | undefined> {
    const { out } = options;
    let unfinished: string | undefined;
    try {
      unfinished = await mkdtemp(join(out, '.unfinished-'));
      const counted = await this.processes.runAll(jobsOf(options));
      const coverage = await this.writeReports(unfinished, counted, options.explanations);
      if (coverage === undefined) return undefined;
      await rm(join(out, FOLDER), { recursive: true, force: true });
      await rename(join(unfinished, FOLDER), join(out, FOLDER));
      return coverage;
    } catch (error) {
      throw isOfFiles(error) ? new BadInput(out, `${whyFailed(error)}; free space or name another directory`) : error;
    } finally {
      if (unfinished !== undefined) await rm(unfinished, { recursive: true, force: true });
    }
  }

  private async writeReports(
    directory: string,
    counted: Counted,
    explanations: Explanations,
  ): Promise<CodeCoverage | undefined> {
    const read = (name: string, parts: readonly string[]): Promise<CodeReport> =>
      CodeReport.read(this.files, { report: join(directory, FOLDER, name), scratch: join(directory, name) }, parts);
    if (this.interrupted) return undefined;
    const total = await read(TOTAL, [...counted.values()]);
    const { rest, explained, stale } = total.without(explanations, total.places());
    const perInvariant = new Map<string, FolderShares>();
    for (const [id, part] of counted) {
      // Signals are handled between two reports.
      await setImmediate();
      if (this.interrupted) return undefined;
      const report = await read(id, [part]);
      perInvariant.set(id, await report.write(rest));
      this.reports++;
    }
    return { perInvariant, total: await total.write(rest), unreached: total.unreached(), explained, stale };
  }
}

const jobsOf = ({
  programs,
  campaign,
  profile,
  guestPages,
  paging,
  traffic,
  mostSteps,
}: CodeOptions): ReadonlyMap<string, Job> =>
  new Map(
    [...programs].map(([id, numbers]) => [
      id,
      { campaign, profile, guestPages, paging, traffic, mostSteps, programs: numbers, twice: id === determinism.id },
    ]),
  );

/** V8's counts as JSON, by invariant. */
type Counted = ReadonlyMap<string, string>;

const isOfFiles = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;

const MOST_AT_ONCE = 2;

const NOTHING_RAN = JSON.stringify({ result: [] });

/** The processes that run programs, a few at a time. */
class Processes {
  /** How many jobs are done, and how many there are. */
  done = 0;
  of = 0;
  private readonly script: string;
  private readonly running = new Set<ChildProcess>();
  private ended = false;

  /** `script`: the compiled run-programs.js. */
  constructor(script: string) {
    this.script = script;
  }

  /** Runs every job in its own process. Returns V8's counts as JSON, in the order of the jobs. Throws `BadInput` if one is killed. */
  async runAll(jobs: ReadonlyMap<string, Job>): Promise<ReadonlyMap<string, string>> {
    const answers = new Map([...jobs.keys()].map((name) => [name, NOTHING_RAN]));
    const left = jobs.entries();
    this.of = jobs.size;
    const work = async (): Promise<void> => {
      for (const [name, job] of left) {
        if (job.programs.length > 0 && !this.ended) answers.set(name, await this.run(name, job));
        this.done++;
      }
    };
    const atOnce = Math.min(MOST_AT_ONCE, availableParallelism());
    try {
      await Promise.all(Array.from({ length: atOnce }, work));
    } finally {
      this.end();
    }
    return answers;
  }

  /** Kills every process, and starts no more. */
  end(): void {
    this.ended = true;
    for (const child of this.running) child.kill('SIGKILL');
  }

  private async run(name: string, job: Job): Promise<string> {
    const child = spawn(process.execPath, [this.script], { detached: true, env: environment() });
    this.running.add(child);
    try {
      child.stdin.on('error', () => undefined);
      child.stdin.end(JSON.stringify(job));
      const closed = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
      const [answer, complaint, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
      if (code === 0 || this.ended) return answer;
      throw failure(name, signal, complaint);
    } finally {
      this.running.delete(child);
    }
  }
}

/** Without NODE_V8_COVERAGE: V8 has one set of counters, and both measurements would reset it. */
const environment = (): NodeJS.ProcessEnv => {
  const { NODE_V8_COVERAGE: _, ...others } = process.env;
  return others;
};

const failure = (name: string, signal: NodeJS.Signals | null, complaint: string): Error => {
  const what = `coverage of ${name}`;
  if (signal === null) return new Error(`${what}: the process that ran the programs failed: ${complaint.trim()}`);
  return new BadInput(
    what,
    `the process that ran the programs was killed by ${signal}; free memory or run fewer programs`,
  );
};
