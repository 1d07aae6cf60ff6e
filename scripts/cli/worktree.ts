/** A checkout of a repository apart from the user's own, which is never touched. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BadInput } from '../../properties/formats/index.js';

const run = promisify(execFile);

export class Worktree {
  /** Where it lies. */
  readonly directory: string;
  private readonly repository: string;
  private readonly parent: string;

  private constructor(repository: string, parent: string) {
    this.repository = repository;
    this.parent = parent;
    this.directory = join(parent, 'checkout');
  }

  /** Checks out a commit. Throws `BadInput` if `repository` is none, or has no such commit. */
  static async of(repository: string, commit: string): Promise<Worktree> {
    const worktree = new Worktree(repository, await mkdtemp(join(tmpdir(), 'shadowdiff-bisect-')));
    try {
      await git(repository, 'worktree', 'add', '--quiet', '--detach', worktree.directory, commit);
      return worktree;
    } catch (error) {
      await worktree.remove();
      throw error;
    }
  }

  git(...words: readonly string[]): Promise<string> {
    return git(this.directory, ...words);
  }

  /** Takes everything away again, a bisection that was under way too. */
  async remove(): Promise<void> {
    await rm(this.parent, { recursive: true, force: true });
    await git(this.repository, 'worktree', 'prune').catch(() => undefined);
  }
}

/** Runs git, and answers what it printed. Throws `BadInput` with what it complained of. */
export const git = async (directory: string, ...words: readonly string[]): Promise<string> => {
  try {
    const { stdout } = await run('git', ['-C', directory, ...words], { maxBuffer: 2 ** 26 });
    return stdout.trim();
  } catch (error) {
    const { stderr, message, code } = error as { stderr?: string; message: string; code?: unknown };
    if (code === 'ENOENT') throw new BadInput('git', 'is not installed; bisecting needs it');
    const said = (stderr ?? '').trim() === '' ? message : (stderr ?? '').trim();
    throw new BadInput(`git ${words[0]}`, `${said.split('\n').at(-1) ?? ''}; look at --repo, --good and --bad`);
  }
};
