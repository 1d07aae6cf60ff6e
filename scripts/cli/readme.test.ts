import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { runInProcess } from '../../test-support/in-process-run.js';

/** The command, and what it prints. */
const EXAMPLE = /```console\n\$ npx shadowdiff (.*)\n([^]*?)```/;

test("README's finding is what its command prints", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, command, listing] = EXAMPLE.exec(readme) as unknown as [string, string, string];
  const corpus = await mkdtemp(join(tmpdir(), 'shadowdiff-readme-'));
  onTestFinished(() => rm(corpus, { recursive: true }));
  const { out } = await runInProcess([...command.split(' '), '--jobs', '1', '--corpus', corpus]);
  expect(out).toContain(listing);
});
