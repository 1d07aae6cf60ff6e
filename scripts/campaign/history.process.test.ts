/** What a full disk does to the history: a limit on the size of files stands for it. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';

const entry = join(inject('clone'), 'dist', 'scripts', 'shadowdiff.js');
/** The results of the run are smaller. */
const KIBIBYTES = 4096;

test('a line that does not fit leaves the history as it was, and the night its other files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'shadowdiff-full-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const before = `${' '.repeat(KIBIBYTES * 1024 - 100)}\n`;
  writeFileSync(join(directory, 'history.jsonl'), before);
  const words = 'nightly --programs 0 --min-programs 0 --jobs 1 --out run --corpus corpus';
  const script = `ulimit -f ${KIBIBYTES}; exec "${process.execPath}" "${entry}" ${words}`;
  const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: directory, encoding: 'utf8' });
  expect(status).toBe(3);
  expect(stderr).toMatch(/history\.jsonl: cannot be written: file too large; free space, or change its rights \(/);
  expect(readFileSync(join(directory, 'history.jsonl'), 'utf8') === before).toBe(true);
  expect(existsSync(join(directory, 'run', 'report.html'))).toBe(true);
});
