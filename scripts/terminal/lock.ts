/**
 * Keeps two processes from working on one thing. The lock is the kernel's, and the command `flock` (of util-linux or BusyBox) holds it for us, so
 * it ends with our process, however that ends, and also holds between machines that share a file system with locks, such as NFS.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BadInput, whyFailed } from '../../properties/formats/index.js';
import { printable } from './printable.js';
import type { Session } from './session.js';

export interface LockOptions {
  /** Milliseconds to wait for a lock that another process holds. */
  readonly patience: number;
  /** What another process is doing that holds the lock, and what to do about it. */
  readonly refusal: string;
}

/**
 * Does the work while it holds the lock on a file, which is made if there is none, or on a directory, whose path ends in a slash. Where there are
 * no locks, it warns and works without one. Throws `BadInput` if another process holds the lock.
 */
export const withLock = async <Result>(
  path: string,
  { patience, refusal }: LockOptions,
  session: Session,
  work: () => Promise<Result>,
): Promise<Result> => {
  const holder = new LockHolder(path);
  const state = await holder.take(patience);
  try {
    if (state === 'taken') throw new BadInput(path, refusal);
    if (state === 'failed') {
      const why = `cannot be locked: ${holder.problem}; start no other process on it`;
      session.complain(`shadowdiff: ${printable(`${path}: ${why}`)}`);
    }
    return await work();
  } finally {
    await holder.release();
  }
};

class LockHolder {
  /** Why there is no lock. */
  problem = '';
  private readonly child;
  private readonly closed: Promise<unknown>;

  constructor(path: string) {
    const isDirectory = path.endsWith('/');
    // flock starts cat when it has the lock, and holds the lock until cat ends: when we close its input, or the kernel does so after our death.
    // In a group of its own, because Ctrl-C must not end it before us.
    this.child = spawn('flock', [`${resolve(path)}${isDirectory ? '/' : ''}`, 'cat'], {
      detached: true,
      stdio: 'pipe',
    });
    this.child.stdin.on('error', () => undefined).write('\n');
    this.child.stderr.on('data', (text: Buffer) => (this.problem += text.toString().trim()));
    this.child.on('error', (error) => (this.problem = `flock: ${whyFailed(error)}`));
    this.closed = once(this.child, 'close').catch(() => undefined);
  }

  /** `taken`: by another process. */
  async take(patience: number): Promise<'held' | 'failed' | 'taken'> {
    const timer = new AbortController();
    const echo = once(this.child.stdout, 'data', { signal: timer.signal }).then(() => 'held' as const);
    const end = this.closed.then(() => 'failed' as const);
    const late = sleep(patience, 'taken' as const, { signal: timer.signal });
    const state = await Promise.race([echo, end, late]);
    timer.abort();
    await Promise.allSettled([echo, late]);
    if (state === 'taken') this.child.kill();
    return state;
  }

  async release(): Promise<void> {
    this.child.stdin.end();
    await this.closed;
  }
}
