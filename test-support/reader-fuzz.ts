/**
 * Fuzzes the readers of our own formats: each gets files that a run wrote, with one of them mutated. Whatever a file holds, a command ends
 * in good time, does not call it a bug in shadowdiff, prints nothing that a terminal obeys, and takes little memory.
 */

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ReportedShadow } from '../model/vocabulary/index.js';
import { OBSERVABLES, slot, vaddr } from '../model/vocabulary/index.js';
import { capabilitiesOfMachine, formatHello, readHello } from '../properties/subjects/capabilities.js';
import { IMPL, MODEL } from '../properties/subjects/subject-names.js';
import { WasmSubject } from '../properties/subjects/wasm-subject.js';
import { INVARIANTS } from '../properties/invariants/invariants.js';
import { Pair } from '../properties/pair.js';
import { traceOf } from '../properties/trace-of.js';
import { BadInput, formatProgram, formatTrace, parseTrace, visible } from '../properties/formats/index.js';
import type { TraceContents } from '../properties/formats/trace-contents.js';
import { TraceReader } from '../properties/formats/trace-words.js';
import { formatCounterexample, parseCounterexample } from '../properties/corpus/counterexample.js';
import { EXIT } from '../scripts/terminal/exit-codes.js';
import { readThresholds } from '../scripts/coverage/thresholds.js';
import { traceWords } from './any-trace.js';
import { capturedCall } from './captured-call.js';
import { mutated, mutations } from './mutated-text.js';
import { runInProcess } from './in-process-run.js';
import { wasmSubject } from './wasm-subject.js';
import { sampleCoverage, sampleMatrix } from './sample-documents.js';
import { sampleHistory } from './sample-nights.js';

/** Reads a file, whatever it holds, and returns whether it could. `directory`: a copy of what the format's `sample` wrote. */
type Reading = (directory: string) => Promise<boolean>;

interface FuzzedFormat {
  readonly name: string;
  /** The file that is mutated, in the directory. */
  readonly file: string;
  /** Each line is a document of its own. */
  readonly lines?: true;
  readonly sample: (directory: string) => Promise<void>;
  readonly readings: readonly Reading[];
}

/** A command that gets a file or a directory. */
const command =
  (...words: readonly string[]): Reading =>
  async (directory) => {
    const { code, err } = await capturedCall(words.map((word) => word.replace(/^@/, `${directory}/`)));
    if (code === EXIT.internal) throw new Error(err);
    return code !== EXIT.badInput;
  };

/** A function that throws nothing but `BadInput`. */
const reader =
  (read: (directory: string) => unknown): Reading =>
  async (directory) => {
    try {
      await read(directory);
      return true;
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      if (visible(error.message) !== error.message) throw new Error('a message is not printable', { cause: error });
      return false;
    }
  };

const ENTRY = 'coherence--access--6f7bb1c1.json';
/** The name of the entry behind its own program, twice. */
const SEQUENCE = 'coherence--access--ee0deed3.json';

const EVERYTHING: TraceContents = { observes: OBSERVABLES, edges: 10 };

const SHADOW: ReportedShadow = {
  current: slot(0),
  roots: [{ frame: 17, guestRoot: undefined }, undefined, undefined, undefined],
  tables: [{ slot: slot(0), depth: 1, vaddr: vaddr(0), frame: 18 }],
  pages: [17, 18],
  leaves: [
    {
      slot: slot(0),
      vaddr: vaddr(0x400000),
      target: 'ram',
      page: 5,
      writable: true,
      user: false,
      upperWritable: true,
      upperUser: true,
    },
  ],
};

const writeEntry = async (directory: string): Promise<void> => {
  await cp(join('corpus', ENTRY), join(directory, ENTRY));
};

const entryProgram = async () => parseCounterexample(await readFile(join('corpus', ENTRY), 'utf8'), ENTRY).case.program;

const writeResults = async (directory: string): Promise<void> => {
  await writeFile(
    join(directory, 'coverage.json'),
    JSON.stringify({ ...sampleCoverage(), invariants: sampleCoverage().invariants.slice(0, 2) }),
  );
  await writeFile(
    join(directory, 'matrix.json'),
    JSON.stringify({ ...sampleMatrix(), rows: sampleMatrix().rows.slice(0, 3) }),
  );
  await mkdir(join(directory, 'findings'));
  await cp(join('corpus', ENTRY), join(directory, 'findings', ENTRY));
};

const writeRun = async (directory: string): Promise<void> => {
  const few = '--programs 12 --min-programs 0 --seed test --max-steps 60 --max-tries 20 --paging 2-level'.split(' ');
  const places = ['--out', join(directory, 'run'), '--corpus', join(directory, 'corpus')];
  const { code, err } = await runInProcess([
    'nightly',
    '--subject',
    'impl:victim-ignores-draw',
    ...few,
    '--jobs',
    '1',
    ...places,
  ]);
  if (code !== EXIT.divergence) throw new Error(err);
};

const REPORTS = ['html', 'markdown', 'junit', 'json'].map((form) =>
  command('report', '@', '--reporter', form, '--out', '@report.out'),
);
const MERGE = command('merge', '@run', '--out', '@merged');

const FORMATS: readonly FuzzedFormat[] = [
  {
    name: 'counterexample',
    file: ENTRY,
    sample: writeEntry,
    readings: [
      ...['replay', 'explain', 'shrink'].map((name) => command(name, `@${ENTRY}`)),
      command('replay', '--json', `@${ENTRY}`),
      ...['list', 'stats', 'prune'].map((name) => command('corpus', name, '--corpus', '@')),
      command('regress', '--corpus', '@'),
    ],
  },
  {
    name: 'counterexample behind other programs',
    file: SEQUENCE,
    sample: async (directory) => {
      const finding = parseCounterexample(await readFile(join('corpus', ENTRY), 'utf8'), ENTRY);
      const text = formatCounterexample({ ...finding, before: [finding.case.program, finding.case.program] });
      await writeFile(join(directory, SEQUENCE), text);
    },
    readings: [
      ...['replay', 'explain', 'shrink'].map((name) => command(name, `@${SEQUENCE}`)),
      command('regress', '--corpus', '@'),
    ],
  },
  {
    name: 'program',
    file: 'program.json',
    sample: async (directory) => writeFile(join(directory, 'program.json'), formatProgram(await entryProgram())),
    readings: [command('replay', '@program.json'), command('trace', '@program.json')],
  },
  {
    name: 'trace',
    file: 'trace.json',
    sample: async (directory) =>
      writeFile(join(directory, 'trace.json'), formatTrace(traceOf(IMPL.create(), await entryProgram()))),
    readings: [
      reader(async (directory) =>
        parseTrace(await readFile(join(directory, 'trace.json'), 'utf8'), 'answer', await entryProgram()),
      ),
    ],
  },
  {
    name: 'trace in words',
    file: 'words',
    sample: async (directory) => {
      const { created, ...rest } = traceOf(IMPL.create(), await entryProgram());
      const trace = { ...rest, created: { ...created, shadow: SHADOW }, edges: [1, 2] };
      await writeFile(join(directory, 'words'), traceWords(trace, EVERYTHING).join(' '));
    },
    readings: [
      reader(async (directory) => {
        const numbers = (await readFile(join(directory, 'words'), 'latin1')).match(/\d+/g) ?? [];
        new TraceReader(EVERYTHING, 'answer').trace(Uint32Array.from(numbers, Number), await entryProgram());
      }),
    ],
  },
  {
    name: 'hello',
    file: 'hello.json',
    sample: (directory) =>
      writeFile(join(directory, 'hello.json'), formatHello(capabilitiesOfMachine('impl', IMPL.create()))),
    readings: [
      reader(async (directory) => readHello(await readFile(join(directory, 'hello.json'), 'utf8'), 'exec:x', 'x')),
    ],
  },
  {
    name: 'WebAssembly',
    file: 'subject.hex',
    sample: (directory) => writeFile(join(directory, 'subject.hex'), Buffer.from(wasmSubject()).toString('hex')),
    readings: [
      reader(async (directory) => {
        const file = join(directory, 'subject.wasm');
        await writeFile(file, Buffer.from(await readFile(join(directory, 'subject.hex'), 'latin1'), 'hex'));
        const subject = new WasmSubject(file, { where: '--subject', caseTimeout: 100, startTimeout: 100 });
        await subject.start();
        const pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
        await pair.run(await entryProgram(), { contractKept: false, twice: false });
      }),
    ],
  },
  {
    name: 'known findings',
    file: 'known.json',
    sample: async (directory) => {
      const words = [
        '--reason',
        'a',
        '--owner',
        'b',
        '--expires',
        '2030-01-01',
        '--known',
        join(directory, 'known.json'),
      ];
      for (const signature of ['flush | end | one', 'flush | end | two'])
        await capturedCall(['known', 'add', signature, ...words]);
    },
    readings: [
      command('known', 'list', '--known', '@known.json'),
      command('known', 'list', '--json', '--known', '@known.json'),
      command('known', 'remove', 'flush | end | two', '--known', '@known.json'),
    ],
  },
  {
    name: 'thresholds',
    file: 'coverage.config.json',
    sample: (directory) => cp('coverage.config.json', join(directory, 'coverage.config.json')),
    readings: [reader((directory) => readThresholds(join(directory, 'coverage.config.json')))],
  },
  { name: 'coverage', file: 'coverage.json', sample: writeResults, readings: REPORTS },
  { name: 'kill matrix', file: 'matrix.json', sample: writeResults, readings: REPORTS },
  { name: 'finding of a run', file: join('findings', ENTRY), sample: writeResults, readings: REPORTS },
  {
    name: 'summary',
    file: join('run', 'summary.json'),
    sample: writeRun,
    readings: REPORTS.map((report) => (directory) => report(join(directory, 'run'))),
  },
  { name: 'record of a run', file: join('run', 'run.json'), sample: writeRun, readings: [MERGE] },
  { name: 'events of a run', file: join('run', 'events.jsonl'), lines: true, sample: writeRun, readings: [MERGE] },
  {
    name: 'events of a merged run',
    file: join('merged', 'events.jsonl'),
    lines: true,
    sample: async (directory) => {
      await writeRun(directory);
      await MERGE(directory);
    },
    readings: [command('merge', '@merged', '--out', '@again')],
  },
  {
    name: 'history of nights',
    file: 'history.jsonl',
    lines: true,
    sample: (directory) =>
      writeFile(
        join(directory, 'history.jsonl'),
        sampleHistory()
          .map((night) => `${JSON.stringify(night)}\n`)
          .join(''),
      ),
    readings: [command('trend', '@history.jsonl', '--out', '@trend.html')],
  },
];

export const FORMAT_NAMES: readonly string[] = FORMATS.map(({ name }) => name);

/** A case takes a few milliseconds, on a busy machine a hundred times as long. */
const SLOWEST = 20_000;
const MOST_MEMORY = 2 ** 29;

/**
 * Reads many mutations of a format's sample. Always the same ones: `cases` of them, a part of which is what fewer cases try. Throws what
 * fast-check reports. A reader that never returns leaves its files behind, in the directory that `where` names.
 */
export const fuzzReaders = async (name: string, cases: number): Promise<void> => {
  const { file, lines, sample, readings } = FORMATS.find((each) => each.name === name)!;
  const where = await mkdtemp(join(tmpdir(), 'reader-fuzz-'));
  const origin = join(where, 'origin');
  const directory = join(where, 'case');
  await mkdir(origin);
  await sample(origin);
  const text = await readFile(join(origin, file), 'utf8');
  await readSample(readings, origin, directory);
  const property = fc.asyncProperty(mutations, fc.nat(), async (steps, which) => {
    await rm(directory, { recursive: true, force: true });
    await cp(origin, directory, { recursive: true });
    await writeFile(join(directory, file), mutated(text, steps, lines === true));
    const memory = process.memoryUsage.rss();
    const start = performance.now();
    await readings[which % readings.length](directory);
    const [milliseconds, bytes] = [performance.now() - start, process.memoryUsage.rss() - memory];
    if (milliseconds > SLOWEST) throw new Error(`took ${Math.round(milliseconds)} ms`);
    if (bytes > MOST_MEMORY) throw new Error(`took ${bytes} bytes of memory`);
  });
  await fc.assert(property, { numRuns: cases, seed: 1, endOnFailure: false });
  await rm(where, { recursive: true, force: true });
};

/** The sample itself is read: mutations of what no reader takes would prove little. */
const readSample = async (readings: readonly Reading[], origin: string, directory: string): Promise<void> => {
  for (const reading of readings) {
    await cp(origin, directory, { recursive: true });
    if (!(await reading(directory))) throw new Error('the sample was refused');
    await rm(directory, { recursive: true, force: true });
  }
};
