/** Starts the processes that run programs, a few side by side, and ends them. */

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { BadInput } from '../../../properties/formats/index.js';
import type { Job } from './job.js';

const MOST_AT_ONCE = 2;

const NOTHING_RAN = JSON.stringify({ result: [] });

export class Processes {
  private readonly script: string;
  private readonly running = new Set<ChildProcess>();
  private ended = false;

  /** `script`: the compiled run-programs.js. */
  constructor(script: string) {
    this.script = script;
  }

  /**
   * Runs every job in a process of its own; answers what V8 counted, as JSON, in the order of the jobs. Throws `BadInput` if a
   * process was ended from outside.
   */
  async runAll(jobs: ReadonlyMap<string, Job>): Promise<ReadonlyMap<string, string>> {
    const answers = new Map([...jobs.keys()].map((name) => [name, NOTHING_RAN]));
    const left = jobs.entries();
    const work = async (): Promise<void> => {
      for (const [name, job] of left) {
        if (job.programs.length > 0 && !this.ended) answers.set(name, await this.run(name, job));
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

  /** Ends every process now, and starts no more. */
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

/** A process that is itself measured would be counted twice over, and V8 has one counter for both. */
const environment = (): NodeJS.ProcessEnv => {
  const { NODE_V8_COVERAGE: _, ...others } = process.env;
  return others;
};

const failure = (name: string, signal: NodeJS.Signals | null, complaint: string): Error => {
  const what = `coverage of ${name}`;
  if (signal === null) return new Error(`${what}: the process that ran the programs failed: ${complaint.trim()}`);
  return new BadInput(
    what,
    `the process that ran the programs was ended by ${signal}; free memory or run fewer programs`,
  );
};
