import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { capturing } from '../../../test-support/captured-call.js';
import { Session } from '../../terminal/session.js';
import { NOTHING_EXPLAINED } from '../thresholds.js';
import type { CodeCoverage, CodeOptions } from './measure-code.js';
import { measureCode } from './measure-code.js';

const clone = inject('clone');
let compiled: string;
let out: string;

// Some tests change compiled files, which refer to the sources beside them.
beforeAll(() => {
  compiled = mkdtempSync(join(clone, 'measured-'));
  cpSync(join(clone, 'build'), compiled, { recursive: true });
});
afterAll(() => rmSync(compiled, { recursive: true, force: true }));
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'shadowdiff-code-'));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

const FEW = [0, 1, 2];
const MORE = Array.from({ length: 30 }, (_, index) => index);

const measure = (
  programs: Readonly<Record<string, readonly number[]>>,
  changes: Partial<CodeOptions> = {},
): Promise<CodeCoverage | undefined> =>
  measureCode({
    campaign: 'code',
    paging: 'both',
    traffic: 'mixed',
    mostSteps: 100,
    programs: new Map(Object.entries(programs)),
    out,
    explanations: NOTHING_EXPLAINED,
    session: new Session(capturing().surroundings),
    compiled,
    ...changes,
  });

const lcov = (name: string): string => readFileSync(join(out, 'code', name, 'lcov.info'), 'utf8');

/** Runs `action` with another text in a compiled file. */
const changed = async (path: string, change: (text: string) => string, action: () => Promise<void>): Promise<void> => {
  const text = readFileSync(join(compiled, path), 'utf8');
  writeFileSync(join(compiled, path), change(text));
  try {
    await action();
  } finally {
    writeFileSync(join(compiled, path), text);
  }
};

test('what ran is measured for each invariant, over the same places', async () => {
  const { perInvariant, total, unreached } = (await measure({ flush: FEW, translation: MORE, teardown: [] }))!;
  const [few, more, none] = ['flush', 'translation', 'teardown'].map((id) => perInvariant.get(id)!);
  for (const kind of ['lines', 'branches', 'functions'] as const) {
    const totals = [few, more, none, total].map(({ impl }) => impl[kind].total);
    expect(new Set(totals)).toEqual(new Set([total.impl[kind].total]));
    expect(few.impl[kind].covered).toBeLessThan(more.impl[kind].covered);
    expect(none.impl[kind].covered + none.model[kind].covered).toBe(0);
    expect(total.impl[kind].covered).toBeGreaterThanOrEqual(more.impl[kind].covered);
    expect(more.impl[kind].covered).toBeGreaterThan(total.impl[kind].total / 2);
  }
  // No sound machine halts: adding up the processes must not count this line as run.
  expect(unreached).toContainEqual(expect.objectContaining({ text: 'this.end = HALTED;' }));
  const { impl, model } = total;
  expect(unreached).toHaveLength(impl.lines.total - impl.lines.covered + model.lines.total - model.lines.covered);
  expect(unreached).toContainEqual({
    file: 'impl/shadow-machine.ts',
    line: expect.any(Number),
    text: 'step satisfies never;',
  });
});

test('the reports are in place, with paths relative to the repository', async () => {
  await measure({ flush: FEW });
  expect(readdirSync(out)).toEqual(['code']);
  expect(readdirSync(join(out, 'code')).sort()).toEqual(['flush', 'total']);
  expect(lcov('total')).toMatch(/^SF:impl\/demand\.ts$/m);
  expect(lcov('total')).not.toMatch(/defects|format/);
  expect(readFileSync(join(out, 'code/flush/html/impl/shadow-tables.ts.html'), 'utf8')).toContain(
    'translates(slot: Slot',
  );
});

test('the same programs give the same figures', async () => {
  await measure({ flush: MORE });
  const first = lcov('flush');
  await measure({ flush: MORE });
  expect(lcov('flush')).toBe(first);
});

test('code that no program reaches any more shows', async () => {
  const { unreached } = (await measure({ flush: MORE }))!;
  expect(unreached.map(({ text }) => text)).not.toContain('setPmd(): void {');
  const call = 'this.calls.setPmd();';
  const without = (text: string): string => text.replace(call, 'void 0;'.padEnd(call.length));
  await changed('impl/shadow-machine.js', without, async () => {
    const { unreached: more } = (await measure({ flush: MORE }))!;
    expect(more.map(({ text }) => text)).toContain('setPmd(): void {');
  });
});

test('an interruption ends the processes and leaves the reports of before', async () => {
  await measure({ flush: FEW });
  const before = lcov('flush');
  const endless = (text: string): string => `${text}\nawait new Promise((resolve) => setTimeout(resolve, 600_000));`;
  await changed('scripts/coverage/code/run-programs.js', endless, async () => {
    const onInterrupt = (listener: () => void): (() => void) => {
      setTimeout(listener, 300);
      return () => undefined;
    };
    const { surroundings, stderr } = capturing({ onInterrupt });
    Object.assign(surroundings.stderr, { isTTY: true, rows: 24, columns: 80 });
    await expect(measure({ flush: MORE }, { session: new Session(surroundings) })).resolves.toBeUndefined();
    expect(stderr.text).toContain('measuring code, programs of 0 of 1 invariants have run again');
  });
  expect([lcov('flush'), readdirSync(out)]).toEqual([before, ['code']]);
});

test('a process that is ended from outside, and one that fails, are told; nothing is left behind', async () => {
  const script = 'scripts/coverage/code/run-programs.js';
  await changed(
    script,
    () => 'process.kill(process.pid, "SIGKILL");',
    async () => {
      await expect(measure({ flush: FEW })).rejects.toThrow(
        'coverage of flush: the process that ran the programs was killed by SIGKILL; free memory or run fewer programs',
      );
    },
  );
  await changed(
    script,
    () => 'throw new Error("no such program");',
    async () => {
      await expect(measure({ flush: FEW })).rejects.toThrow(/coverage of flush: .* failed: .*no such program/s);
    },
  );
  expect(readdirSync(out)).toEqual([]);
});

test('a directory that cannot be written is refused before anything runs', async () => {
  const file = join(out, 'file');
  writeFileSync(file, '');
  await expect(measure({ flush: FEW }, { out: file })).rejects.toThrow(
    /file: not a directory; free space or name another/,
  );
  expect(existsSync(`${file}/code`)).toBe(false);
});
