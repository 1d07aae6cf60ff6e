/**
 * shadowdiff as a package: what `npm pack` ships is enough to import it, run it and compile against it. Packed from a copy of the
 * sources, so that nobody's `dist` is touched.
 */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const TSC = join(MODULES, 'typescript', 'bin', 'tsc');
const MOST_MILLISECONDS = 120_000;

/** What the command is put into (rolldown.config.js), beside the compiled files. */
const IN_PARTS = /^dist\/scripts\/part-[^/]*\.js$/;

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}

/** What was written and how it ended, whichever way. */
const outputOf = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
  try {
    const { stdout, stderr } = await run(command, [...args], { cwd, timeout: MOST_MILLISECONDS });
    return stdout + stderr;
  } catch (error) {
    const {
      message,
      stdout = '',
      stderr = '',
    } = error as Error & { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${message}\n${stdout}${stderr}`, { cause: error });
  }
};

/** The sources as they would be checked out, built. */
const build = async (directory: string, { files }: Manifest): Promise<void> => {
  const shipped = files.filter((name) => !name.includes('dist') && !name.includes('/'));
  const named = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'rolldown.config.js', 'LICENSE', ...shipped];
  const there = new Set(await readdir(ROOT));
  await Promise.all(
    named
      .filter((name) => there.has(name))
      .map((name) => cp(join(ROOT, name), join(directory, name), { recursive: true })),
  );
  await symlink(MODULES, join(directory, 'node_modules'));
  await outputOf('npm', ['run', 'build', '--silent'], directory);
};

/** Puts the package and what it depends on, and nothing else, where a user's program finds it. */
const install = async (tarball: string, user: string, { dependencies }: Manifest): Promise<void> => {
  const own = join(user, 'node_modules', 'shadowdiff');
  await mkdir(own, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']);
  for (const name of Object.keys(dependencies)) {
    const link = join(user, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(MODULES, name), link);
  }
};

const SCRIPT = `
import fc from 'fast-check';
import {
  INVARIANTS, Lockstep, ReferenceMachine, ShadowMachine, defectNamed, formatTrace, parseProgram, programArbitrary, traceOf,
} from 'shadowdiff';

const lockstep = new Lockstep({ reference: new ReferenceMachine(), subject: new ShadowMachine(), invariants: INVARIANTS });
fc.assert(
  fc.property(programArbitrary(), ({ program, traffic }) => lockstep.run(program, traffic === 'coherent') === undefined),
  { seed: 7, numRuns: 50 },
);

const broken = new ShadowMachine();
defectNamed('state-page-writable').plant(broken);
const judge = new Lockstep({ reference: new ReferenceMachine(), subject: broken, invariants: INVARIANTS });
const { failed, counterexample } = fc.check(
  fc.property(programArbitrary(), ({ program, traffic }) => judge.run(program, traffic === 'coherent') === undefined),
  { seed: 7 },
);

const program = parseProgram(JSON.stringify({
  format: 'shadowdiff-program/1',
  machine: { paging: 'pae', guestPages: 4, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 },
  steps: [{ op: 'init', kernelAddress: '0xc0000000' }],
}), 'here');
const { steps } = traceOf(new ReferenceMachine(), program);
console.log(JSON.stringify({
  programs: lockstep.tally.programs, failed, shrunk: counterexample[0].program.steps.length,
  outcome: steps[0].outcome.kind, same: formatTrace(traceOf(new ShadowMachine(), program)).length > 100,
}));
`;

const TYPED = `
import fc from 'fast-check';
import type { Case, Divergence, Invariant, Machine, Program, Step, Trace } from 'shadowdiff';
import {
  HELD, INVARIANTS, Lockstep, ReferenceMachine, ShadowMachine, programArbitrary, stateless, traceOf, vaddr,
} from 'shadowdiff';

const mine: Invariant = {
  id: 'mine',
  statement: 'Nothing is wrong.',
  source: 'here',
  exercisedBy: 'every access',
  looksAt: 'observations',
  contract: 'any',
  stages: ['access'],
  watch: stateless(() => HELD),
};
const subject: Machine = new ShadowMachine();
const lockstep = new Lockstep({ reference: new ReferenceMachine(), subject, invariants: [...INVARIANTS, mine] });
const programs: fc.Arbitrary<Case> = programArbitrary({ paging: 'pae', traffic: 'coherent', mostSteps: 60 });
const step: Step = { op: 'access', vaddr: vaddr(0x1000), kind: 'read', mode: 'user' };
fc.assert(
  fc.property(programs, ({ program, traffic }: Case) => {
    const longer: Program = { ...program, steps: [...program.steps, step] };
    const found: Divergence | undefined = lockstep.run(longer, traffic === 'coherent');
    const trace: Trace = traceOf(subject, longer);
    return found === undefined && trace.steps.length > 0;
  }),
);
// @ts-expect-error -- an address is no plain number
export const wrong: Step = { op: 'guest-pa', vaddr: 0x1000 };
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: [],
  },
  files: ['typed.ts'],
};

describe('the package', () => {
  let directory = '';
  let user = '';
  let manifest: Manifest;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shadowdiff-package-'));
    user = join(directory, 'user');
    manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest;
    const source = join(directory, 'source');
    await build(source, manifest);
    await outputOf('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory], source);
    const tarball = (await readdir(directory)).find((name) => name.endsWith('.tgz'));
    await install(join(directory, tarball ?? ''), user, manifest);
    await writeFile(join(user, 'package.json'), JSON.stringify({ name: 'user', type: 'module', private: true }));
  }, MOST_MILLISECONDS);
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  test('can be imported and run by plain Node', async () => {
    await writeFile(join(user, 'script.js'), SCRIPT);
    const output = await outputOf(process.execPath, ['script.js'], user);
    expect(JSON.parse(output)).toEqual({
      programs: 50,
      failed: true,
      shrunk: expect.any(Number) as number,
      outcome: 'initialized',
      same: true,
    });
  });

  test('can be compiled against, by its types alone', async () => {
    await writeFile(join(user, 'typed.ts'), TYPED);
    await writeFile(join(user, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    expect(await outputOf(process.execPath, [TSC, '-p', '.'], user)).toBe('');
  });

  test('brings its command', async () => {
    const command = join('node_modules', 'shadowdiff', manifest.bin['shadowdiff']);
    expect(await outputOf(process.execPath, [command, '--help'], user)).toContain('shadowdiff');
  });

  test('ships no compiled tests, and types beside everything compiled', async () => {
    const own = join(user, 'node_modules', 'shadowdiff');
    const shipped = new Set(await readdir(own, { recursive: true }));
    const compiled = [...shipped].filter((name) => name.startsWith('dist/') && name.endsWith('.js'));
    expect(compiled.length).toBeGreaterThan(50);
    expect(compiled.filter((name) => name.includes('.test.'))).toEqual([]);
    const types = compiled.filter((name) => !IN_PARTS.test(name)).map((name) => name.replace(/\.js$/, '.d.ts'));
    expect(types.filter((name) => !shipped.has(name))).toEqual([]);
  });
});
