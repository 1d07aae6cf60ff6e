/** shadowdiff as a package: what `npm pack` ships is enough to import it, run it and compile against it, and is small. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

const run = promisify(execFile);
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));
const TSC = join(MODULES, 'typescript', 'bin', 'tsc');
const MOST_FILES = 300;
/** A fifth of it is the script of the page to play in. */
const MOST_BYTES = 3_800_000;

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
}

/** What `npm pack --json` prints. */
interface Packed {
  readonly filename: string;
  readonly entryCount: number;
  /** Bytes. */
  readonly unpackedSize: number;
}

/** What the command printed. Throws with it if the command fails. */
const outputOf = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
  try {
    const { stdout, stderr } = await run(command, [...args], { cwd });
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

/** Puts the package and its dependencies, and nothing else, where a user's program finds them. */
const install = async (tarball: string, user: string, { dependencies, peerDependencies }: Manifest): Promise<void> => {
  const own = join(user, 'node_modules', 'shadowdiff');
  await mkdir(own, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']);
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const link = join(user, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(MODULES, name), link);
  }
};

/** The blocks of TypeScript in a text that use the package; in a doc comment too. */
const snippetsIn = (text: string): readonly string[] =>
  Array.from(text.matchAll(/```ts\n(.*?)```/gs), ([, block]) => block.replaceAll(/^ \* ?/gm, '')).filter((block) =>
    block.includes("from 'shadowdiff'"),
  );

const SCRIPT = `
import fc from 'fast-check';
import {
  INVARIANTS, Lockstep, ReferenceMachine, ShadowMachine, defectNamed, formatTrace, parseProgram, programArbitrary, traceOf,
} from 'shadowdiff';

const lockstep = new Lockstep({ model: new ReferenceMachine(), subject: new ShadowMachine(), invariants: INVARIANTS });
fc.assert(
  fc.property(programArbitrary(), ({ program, traffic }) => lockstep.run(program, traffic === 'coherent') === undefined),
  { seed: 7, numRuns: 50 },
);

const broken = new ShadowMachine();
defectNamed('state-page-writable').plant(broken);
const judge = new Lockstep({ model: new ReferenceMachine(), subject: broken, invariants: INVARIANTS });
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
  harms: 'guest',
  looksAt: ['outcome'],
  contract: 'any',
  stages: ['access'],
  watch: stateless(() => HELD),
};
const subject: Machine = new ShadowMachine();
const lockstep = new Lockstep({ model: new ReferenceMachine(), subject, invariants: [...INVARIANTS, mine] });
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
    types: [],
  },
  include: ['*.ts'],
};

describe('the package', () => {
  const clone = inject('clone');
  let directory = '';
  let user = '';
  let manifest: Manifest;
  let packed: Packed;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shadowdiff-package-'));
    user = join(directory, 'user');
    manifest = JSON.parse(await readFile(join(clone, 'package.json'), 'utf8')) as Manifest;
    const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
    [packed] = JSON.parse((await run('npm', words, { cwd: clone })).stdout) as readonly [Packed];
    await install(join(directory, packed.filename), user, manifest);
    await writeFile(join(user, 'package.json'), JSON.stringify({ name: 'user', type: 'module', private: true }));
    await writeFile(join(user, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  test('is small', () => {
    expect(packed.entryCount).toBeLessThanOrEqual(MOST_FILES);
    expect(packed.unpackedSize).toBeLessThanOrEqual(MOST_BYTES);
  });

  test('ships no tests, no sources and nothing that only the benchmarks need', async () => {
    const shipped = await readdir(join(user, 'node_modules', 'shadowdiff'), { recursive: true });
    expect(shipped.filter((name) => name.includes('.test.'))).toEqual([]);
    expect(shipped.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))).toEqual([]);
    expect(shipped.filter((name) => /^(build|test-support)\b|\/bench\/.*\.js$/.test(name))).toEqual([]);
  });

  test('carries the licence of every package that is bundled into it', async () => {
    const dist = join(user, 'node_modules', 'shadowdiff', 'dist');
    const scripts = (await readdir(dist, { recursive: true })).filter((name) => name.endsWith('.js'));
    const code = (await Promise.all(scripts.map((name) => readFile(join(dist, name), 'utf8')))).join('\n');
    const loads = code.matchAll(/(?:from|import|import\(|resolve\()\s*["'`]((?:@[^/"'`]+\/)?[^/"'`]+)/g);
    const loaded = new Set(Array.from(loads, ([, name]) => name));
    const bundled = Object.keys(manifest.dependencies).filter((name) => !loaded.has(name));
    const notices = await readFile(join(dist, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    const named = Array.from(notices.matchAll(/^-{80}\n\n(\S+) \d/gm), ([, name]) => name);
    const inPage = ['fast-check', 'pure-rand'];
    expect(named.toSorted()).toEqual([...bundled, ...inPage].toSorted());
    expect(bundled).toEqual(['commander', 'picocolors', 'string-argv', 'zod']);
    for (const name of named) {
      const licence = await readFile(join(MODULES, name, 'LICENSE'), 'utf8');
      expect(notices).toContain(licence.trim());
    }
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

  test('can be compiled against by its types alone', async () => {
    await writeFile(join(user, 'typed.ts'), TYPED);
    expect(await outputOf(process.execPath, [TSC, '-p', '.', '--noEmit'], user)).toBe('');
  });

  // The user's fast-check is the package's own: it is a peer dependency, and the lock file keeps it at the newest 4.x.
  test.each(['README.md', 'properties/index.ts'])('makes the example in %s compile and run', async (page) => {
    const snippets = snippetsIn(await readFile(join(clone, page), 'utf8'));
    expect(snippets.length).toBeGreaterThan(0);
    for (const [index, snippet] of snippets.entries()) await writeFile(join(user, `example-${index}.ts`), snippet);
    expect(await outputOf(process.execPath, [TSC, '-p', '.'], user)).toBe('');
    for (const index of snippets.keys()) {
      expect(await outputOf(process.execPath, [`example-${index}.js`], user)).toBe('');
    }
  });

  test('brings its command', async () => {
    const command = join('node_modules', 'shadowdiff', manifest.bin['shadowdiff']);
    expect(await outputOf(process.execPath, [command, '--help'], user)).toContain('shadowdiff');
    // Enough programs to exercise every invariant: else the run is inconclusive.
    const nightly = ['nightly', '--programs', '200', '--seed', 'library', '--jobs', '2', '--out', 'run'];
    expect(await outputOf(process.execPath, [command, ...nightly], user)).toContain('200 programs');
    expect(await outputOf(process.execPath, [command, 'report', 'run', '--out', 'report.html'], user)).toContain(
      'report.html',
    );
  });

  test('measures coverage without that of code, and says that a clone has more', async () => {
    const command = join('node_modules', 'shadowdiff', manifest.bin['shadowdiff']);
    const output = await outputOf(
      process.execPath,
      [command, 'coverage', '--programs', '20', '--seed', 'library'],
      user,
    );
    expect(output).toContain('that needs a clone of shadowdiff');
    expect(output).toContain('20 programs');
  });
});
