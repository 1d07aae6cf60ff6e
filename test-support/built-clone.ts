/**
 * Copies the sources into a temporary directory and builds them there, once for all tests that run the product as processes:
 * `inject('clone')` is the directory. The developer's own build stays as it is.
 */

import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly clone: string;
  }
}

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const LEFT_OUT = new Set(['.git', 'build', 'coverage', 'dist', 'node_modules', 'out']);

const isCopied = (path: string): boolean => !path.endsWith('.test.ts');

const buildClone = async (): Promise<string> => {
  const clone = await mkdtemp(join(tmpdir(), 'shadowdiff-clone-'));
  // A test runs the command as another user.
  await chmod(clone, 0o755);
  const names = (await readdir(REPOSITORY)).filter((name) => !LEFT_OUT.has(name));
  await Promise.all(
    names.map((name) => cp(join(REPOSITORY, name), join(clone, name), { recursive: true, filter: isCopied })),
  );
  await symlink(join(REPOSITORY, 'node_modules'), join(clone, 'node_modules'));
  await promisify(execFile)('npm', ['run', 'build', '--silent'], { cwd: clone });
  return clone;
};

/** Vitest calls it before the first test of a project, and what it returns after the last. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const clone = await buildClone();
  provide('clone', clone);
  return () => rm(clone, { recursive: true, force: true });
};
