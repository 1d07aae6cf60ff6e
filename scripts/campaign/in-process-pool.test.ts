import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { InProcessPool } from './in-process-pool.js';
import { runInProcess } from '../../test-support/in-process-run.js';

/** Introduces itself, then takes a program and never answers it. */
const SILENT = `read hello; echo '{"format":"shadowdiff-hello/2"}'; read program && touch "$1" && exec sleep 600`;

test.each(['fuzz', 'nightly'])('%s that is interrupted does not wait for a command to answer', async (kind) => {
  const directory = await mkdtemp(join(tmpdir(), 'in-process-pool-'));
  const at = (name: string): string => join(directory, name);
  try {
    await writeFile(at('silent.sh'), SILENT);
    let interrupt = (): void => undefined;
    const onInterrupt = (listener: () => void) => {
      interrupt = listener;
      return () => undefined;
    };
    const words = ['--subject', `exec:sh ${at('silent.sh')} ${at('asked')}`, '--case-timeout', '10m', '--jobs', '1'];
    const places = ['--corpus', at('corpus'), '--out', at('run')];
    const workers = () => new InProcessPool({ monotonic: () => performance.now() });
    const run = runInProcess([kind, ...words, '--programs', '20', ...places], { onInterrupt, workers });
    await vi.waitUntil(() => existsSync(at('asked')), { timeout: 60_000 });
    interrupt();
    const { code, out } = await run;
    expect([code, out]).toEqual([130, expect.stringMatching(/^interrupted: 0 kinds of finding in 0 programs$/m)]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
