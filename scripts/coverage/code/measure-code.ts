/** Which lines, branches and functions of the machines ran in the programs in which an invariant was exercised. */

import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { BadInput } from '../../../properties/formats/index.js';
import type { ProgramOptions } from '../../../properties/generators/index.js';
import { determinism } from '../../../properties/invariants/determinism.js';
import { compiledModules } from '../../own-package.js';
import { makeResultDirectory } from '../../terminal/result-directory.js';
import type { Surroundings } from '../../terminal/surroundings.js';
import type { ExplainedLine, UnreachedLine } from '../coverage-document.js';
import type { Explanations } from '../thresholds.js';
import type { CodeFile } from './code-files.js';
import { codeFiles } from './code-files.js';
import type { Job } from './job.js';
import { Processes } from './processes.js';
import type { FolderShares } from './report.js';
import { CodeReport } from './report.js';

/** Below the directory for results. */
const FOLDER = 'code';
const TOTAL = 'total';

export interface CodeOptions extends ProgramOptions {
  readonly campaign: string;
  /** By invariant: numbers of programs of the campaign in which it was exercised. */
  readonly programs: ReadonlyMap<string, readonly number[]>;
  /** Directory for results; code/ in it is replaced. */
  readonly out: string;
  /** Why no program comes to some lines: these are left out of the shares. */
  readonly explanations: Explanations;
  readonly onInterrupt: Surroundings['onInterrupt'];
  /** The compiled modules; by default this package's build/. */
  readonly compiled?: string;
}

export interface CodeCoverage {
  readonly perInvariant: ReadonlyMap<string, FolderShares>;
  readonly total: FolderShares;
  readonly unreached: readonly UnreachedLine[];
  readonly explained: readonly ExplainedLine[];
  /** Explanations that do not hold, a sentence each. */
  readonly stale: readonly string[];
}

/**
 * Runs the programs again, machines `impl` and `model` in lockstep, each invariant's in a process of its own, and writes
 * code/INVARIANT/lcov.info and code/INVARIANT/html/, and the same for code/total/. Answers `undefined` if it was interrupted: then, and
 * if it throws, code/ is as it was. Throws `BadInput` if `out` cannot be written to, a source is missing or a process was ended.
 */
export const measureCode = async (options: CodeOptions): Promise<CodeCoverage | undefined> => {
  const { out, compiled = compiledModules() } = options;
  const files = await codeFiles(compiled);
  await makeResultDirectory('--out', out);
  const measurement = new Measurement(files, new Processes(join(compiled, 'scripts/coverage/code/run-programs.js')));
  const unsubscribe = options.onInterrupt(() => measurement.interrupt());
  try {
    return await measurement.take(options);
  } finally {
    unsubscribe();
  }
};

class Measurement {
  private readonly files: readonly CodeFile[];
  private readonly processes: Processes;
  private interrupted = false;

  constructor(files: readonly CodeFile[], processes: Processes) {
    this.files = files;
    this.processes = processes;
  }

  interrupt(): void {
    this.interrupted = true;
    this.processes.end();
  }

  /** Whoever looks into `out` finds all of the new reports or those of before. */
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
      throw isOfFiles(error) ? new BadInput(out, `${error.message}; free space or name another directory`) : error;
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
      // Signals are heard between two reports.
      await setImmediate();
      if (this.interrupted) return undefined;
      const report = await read(id, [part]);
      perInvariant.set(id, await report.write(rest));
    }
    return { perInvariant, total: await total.write(rest), unreached: total.unreached(), explained, stale };
  }
}

const jobsOf = ({ programs, campaign, paging, traffic, mostSteps }: CodeOptions): ReadonlyMap<string, Job> =>
  new Map(
    [...programs].map(([id, numbers]) => [
      id,
      { campaign, paging, traffic, mostSteps, programs: numbers, twice: id === determinism.id },
    ]),
  );

/** What V8 counted, as JSON, by invariant. */
type Counted = ReadonlyMap<string, string>;

const isOfFiles = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;
