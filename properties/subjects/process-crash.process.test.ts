/** Crashes of real programs: built with and without sanitizers, each signature is that of its bug. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Program, Step } from '../../model/vocabulary/index.js';
import { cpu, paddr, vaddr } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { Pair } from '../pair.js';
import { CommandSubject } from './command-subject.js';
import { MODEL } from './subject-names.js';

const HEADER = fileURLToPath(new URL('../../scripts/examples/c/', import.meta.url));
const TIMEOUT = 20_000;

/** A machine without a memory; each kind of step has a bug of its own. */
const SOURCE = `
#include "shadowdiff.h"

static volatile unsigned *entries;
static volatile int one = 1;

__attribute__((noinline)) static unsigned read_entry(unsigned index) { return entries[index]; }
__attribute__((noinline)) static void write_entry(unsigned index) { entries[index] = 1; }
__attribute__((noinline)) static unsigned reuse(void) { free((void *)entries); return read_entry(0); }
__attribute__((noinline)) static int shifted(unsigned by) { return one << by; }
__attribute__((noinline)) static unsigned follow(volatile unsigned *null) { return *null; }

static struct sd_outcome create(const struct sd_machine *machine)
{
	(void)machine;
	entries = malloc(16 * sizeof *entries);
	return sd_created();
}

static struct sd_outcome apply(const struct sd_step *step)
{
	switch (step->op) {
	case SD_GUEST_PA: read_entry(step->as.guest_pa.vaddr); break;
	case SD_SET_PGD: write_entry(step->as.set_pgd.index); break;
	case SD_SET_PMD: reuse(); break;
	case SD_MIGRATE: shifted(32 + step->as.migrate.cpu); break;
	case SD_FAIL_ALLOC: exit(3);
	case SD_NEW_PGTABLE: abort();
	case SD_FLUSH_TLB: follow((void *)(size_t)(one - 1)); break;
	default: break;
	}
	return sd_ok();
}

static void destroy(void) { free((void *)entries); }

const struct sd_subject sd_subject = { .name = "crashing", .create = create, .apply = apply, .destroy = destroy };
`;

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'process-crash-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const build = (compiler: string, ...options: readonly string[]): string => {
  const source = join(directory, 'crashing.c');
  const output = join(directory, `${compiler}${options.length}`);
  writeFileSync(source, SOURCE);
  const { stderr } = spawnSync(compiler, ['-g', '-O1', ...options, '-I', HEADER, '-o', output, source], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return output;
};

const PADDING: Step = { op: 'protect', page: 0, access: 'none' };

const crashOf = async (command: string, step: Step): Promise<Divergence> => {
  const subject = new CommandSubject(command, '--subject', { caseTimeout: TIMEOUT, startTimeout: TIMEOUT });
  const program: Program = {
    machine: { paging: '2-level', guestPages: 8, devicePages: 0, hostCpus: 8, draw: 0, failAllocation: 0 },
    steps: [PADDING, step, PADDING],
  };
  const pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  const divergence = await pair.run(program, { contractKept: false, twice: false }).finally(() => pair.close());
  return divergence!;
};

const guestPa = (index: number): Step => ({ op: 'guest-pa', vaddr: vaddr(index) });
const setPgd = (index: number): Step => ({ op: 'set-pgd', root: paddr(0), index });
const migrate = (to: number): Step => ({ op: 'migrate', cpu: cpu(to) });

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const unless = (compiler: string): string => (has(compiler) ? '' : ` (skipped: install ${compiler})`);

describe.each(['gcc', 'clang'])('a subject built by %s', (compiler) => {
  describe.skipIf(!has(compiler))(`with sanitizers${unless(compiler)}`, () => {
    let command: string;
    beforeAll(() => (command = build(compiler, '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined')));

    test.each<[Step, string]>([
      [guestPa(17), 'guest-pa | the subject crashed: AddressSanitizer: heap-buffer-overflow in read_entry'],
      [guestPa(18), 'guest-pa | the subject crashed: AddressSanitizer: heap-buffer-overflow in read_entry'],
      [setPgd(17), 'set-pgd | the subject crashed: AddressSanitizer: heap-buffer-overflow in write_entry'],
      [
        { op: 'set-pmd', pmd: paddr(0), index: 0 },
        'set-pmd | the subject crashed: AddressSanitizer: heap-use-after-free in read_entry',
      ],
      [
        migrate(1),
        "migrate | the subject crashed: UndefinedBehaviorSanitizer: shift exponent N is too large for 32-bit type 'int' in crashing.c:10",
      ],
      [{ op: 'fail-alloc', count: 1 }, 'fail-alloc | the subject crashed: exited with code 3'],
    ])('%j', async (step, signature) => {
      const { place, standardError, ...divergence } = await crashOf(command, step);
      expect(signatureOf({ place, ...divergence })).toBe(`subject-crash | ${signature}`);
      expect(place).toEqual({ kind: 'step', index: 1 });
      if (step.op === 'fail-alloc') return;
      expect(standardError).toContain(step.op === 'migrate' ? 'runtime error' : 'ERROR: AddressSanitizer');
    });

    test('has one signature for one bug, wherever it strikes', async () => {
      const signatures = await Promise.all(
        [migrate(1), migrate(5)].map(async (step) => signatureOf(await crashOf(command, step))),
      );
      expect(signatures[0]).toBe(signatures[1]);
    });
  });

  describe.skipIf(!has(compiler))(`without sanitizers${unless(compiler)}`, () => {
    test.each<[Step, string]>([
      [{ op: 'flush-tlb', scope: 'all' }, 'flush-tlb | the subject crashed: killed by SIGSEGV'],
      [{ op: 'new-pgtable', root: paddr(0), draw: 0 }, 'new-pgtable | the subject crashed: killed by SIGABRT'],
    ])('%j', async (step, signature) => {
      const divergence = await crashOf(build(compiler), step);
      expect(signatureOf(divergence)).toBe(`subject-crash | ${signature}`);
      expect(divergence.place).toEqual({ kind: 'step', index: 1 });
    });
  });
});
