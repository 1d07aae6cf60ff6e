/** Runs that are killed again and again, the command itself and its workers, come to what they come to when they are left alone. */

import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import seedrandom from 'seedrandom';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { filesBelow } from '../../test-support/in-process-run.js';

const clone = inject('clone');
const entry = join(clone, 'dist', 'scripts', 'shadowdiff.js');

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'shadowdiff-chaos-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const at = (...path: readonly string[]): string => join(directory, ...path);

/** A place for a run and its corpus, which has entries already. */
const makePlace = (name: string): string => {
  mkdirSync(at(name, 'corpus'), { recursive: true });
  mkdirSync(at(name, 'run'));
  const all = readdirSync(join(clone, 'corpus')).filter((each) => each.startsWith('accessed-dirty--'));
  const entries = all.slice(0, 3);
  expect(entries).toHaveLength(3);
  for (const each of entries) cpSync(join(clone, 'corpus', each), at(name, 'corpus', each));
  return at(name);
};

/** Begins a run, or resumes it, in a place of its own. */
const nightly = (place: string, campaign: readonly string[]): ChildProcess => {
  const whole = ['--out', 'run', '--jobs', '2', ...campaign];
  const words = existsSync(join(place, 'run', 'run.json')) ? ['--resume', 'run'] : whole;
  return spawn(process.execPath, [entry, 'nightly', ...words], { cwd: place, stdio: 'ignore' });
};

const exitCode = async (child: ChildProcess): Promise<number | null> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return child.exitCode;
};

/** All that a run found, and what it left in the corpus; no times, no pages made of these, and not how often workers failed. */
const resultsIn = async (place: string): Promise<Readonly<Record<string, string>>> => {
  const started = (JSON.parse(readFileSync(join(place, 'run', 'run.json'), 'utf8')) as RunJson).parts[0].started;
  const files = Object.entries(await filesBelow(place)).filter(
    ([path]) => !/^(history\.jsonl|run\/(run\.json|events\.jsonl|report\.html|junit\.xml|workers\.log))$/.test(path),
  );
  const timeless = (text: string): string =>
    text
      .replaceAll(started, 'STARTED')
      .replace(/^ "time": \{[^}]*\},\n/m, '')
      .replace(/^ "retries": \d+,\n/m, '');
  return Object.fromEntries(files.map(([path, text]) => [path, timeless(text)]));
};

interface RunJson {
  readonly parts: readonly { readonly started: string }[];
}

/** The changes of files that a run makes in its directory: a moment to kill it that does not depend on how fast the machine is. */
class Changes {
  private count = 0;
  private readonly watcher;

  constructor(run: string) {
    this.watcher = watch(run, () => this.count++);
  }

  /** Until so many more changes were made, or the run has ended. */
  async more(changes: number, child: ChildProcess): Promise<void> {
    for (const before = this.count; this.count < before + changes && child.exitCode === null;) await sleep(1);
  }

  close(): void {
    this.watcher.close();
  }
}

const workersOf = ({ pid }: ChildProcess): readonly number[] =>
  spawnSync('pgrep', ['-P', String(pid), '-f', 'tinypool'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
    .map(Number);

/** False if it has ended. */
const kill = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
};

const INCONCLUSIVE = 3;
/** Changes of files that a run makes before its workers start, about. */
const STARTING_CHANGES = 10;
/** Changes of files and milliseconds between two kills. */
const MOST_CHANGES = 12;
const MOST_DELAY = 400;

/** Chooses whom to kill, and when. */
class Chaos {
  readonly kills = { main: 0, worker: 0 };
  private readonly random: () => number;

  constructor(seed: string) {
    this.random = seedrandom(seed);
  }

  /** Runs a campaign to its end, however often it is killed. */
  async run(place: string, campaign: readonly string[]): Promise<number> {
    for (;;) {
      const code = await this.live(nightly(place, campaign), join(place, 'run'));
      // Inconclusive: workers were killed too often for one task, which resuming does again.
      if (code !== null && code !== INCONCLUSIVE) return code;
    }
  }

  /** The life of one process: some of its workers are killed, and perhaps it as well. */
  private async live(child: ChildProcess, run: string): Promise<number | null> {
    const changes = new Changes(run);
    for (;;) {
      // Half of the kills wait for no change, so that a task may lose the worker that tries it again.
      await changes.more(this.below(2) * this.below(MOST_CHANGES), child);
      await sleep(this.below(MOST_DELAY));
      if (child.exitCode !== null) break;
      if (this.random() < 0.5) await this.killWorker(child);
      else if (kill(child.pid!, 'SIGKILL')) {
        const code = await exitCode(child);
        if (code === null) this.kills.main++;
        break;
      }
    }
    changes.close();
    return await exitCode(child);
  }

  /** Waits for workers, if they have not begun yet. */
  private async killWorker(child: ChildProcess): Promise<void> {
    const signal = this.random() < 0.5 ? 'SIGKILL' : 'SIGTERM';
    let workers = workersOf(child);
    for (; workers.length === 0 && child.exitCode === null; workers = workersOf(child)) await sleep(10);
    if (workers.length > 0 && kill(workers[this.below(workers.length)], signal)) this.kills.worker++;
  }

  private below(bound: number): number {
    return Math.floor(this.random() * bound);
  }
}

/** How often a run noticed that a worker was killed. */
const retriesIn = (place: string): number =>
  readFileSync(join(place, 'run', 'events.jsonl'), 'utf8').split('"how":"was killed"').length - 1;

// At least 100 kills in all.
test.each([
  ['a sound machine', 'impl', 0, { main: 20, worker: 20 }],
  ['a planted bug', 'impl:device-border-off-by-one', 1, { main: 30, worker: 30 }],
] as const)(
  'a campaign that is killed at random loses nothing, counts nothing twice and blames no subject: %s',
  async (_, subject, code, fewest) => {
    const size = ['--programs', '6000', '--judge', '0.5', '--max-steps', '48', '--max-tries', '50'];
    const campaign = ['--subject', subject, '--seed', 'chaos', ...size];
    const calm = makePlace(`calm-${code}`);
    expect(await exitCode(nightly(calm, campaign))).toBe(code);
    const expected = await resultsIn(calm);
    const chaos = new Chaos(subject);
    let retries = 0;
    for (let round = 0; chaos.kills.main < fewest.main || chaos.kills.worker < fewest.worker; round++) {
      const rough = makePlace(`rough-${code}-${round}`);
      expect(await chaos.run(rough, campaign)).toBe(code);
      expect(await resultsIn(rough)).toEqual(expected);
      retries += retriesIn(rough);
    }
    expect(retries).toBeGreaterThan(0);
  },
);

test('a shard that is killed while it starts goes on when its scheduler starts it again', async () => {
  const words = ['shards', 'run', '--programs', '64', '--max-tries', '0', '--jobs', '1'];
  const env = { ...process.env, SLURM_ARRAY_TASK_ID: '1', SLURM_ARRAY_TASK_COUNT: '2', SLURM_ARRAY_TASK_MIN: '0' };
  const shard = (cwd: string): ChildProcess =>
    // A group of its own, to be killed as one.
    spawn('bash', [join(clone, 'scripts', 'fleet', 'shard.sh'), ...words], {
      cwd,
      env,
      stdio: 'ignore',
      detached: true,
    });
  let kills = 0;
  for (let moment = 0; moment < STARTING_CHANGES; moment++) {
    const place = makePlace(`shard-${moment}`);
    const changes = new Changes(join(place, 'run'));
    const child = shard(place);
    await changes.more(moment, child);
    if (kill(-child.pid!, 'SIGKILL')) kills++;
    await exitCode(child);
    changes.close();
    expect([moment, await exitCode(shard(place))]).toEqual([moment, 0]);
    expect(existsSync(join(place, 'run', 'summary.json'))).toBe(true);
  }
  expect(kills).toBe(STARTING_CHANGES);
});
