/** Subjects that are not of this package: what a pipe costs node, and how fast a machine in C is behind one and as WebAssembly. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from '../../../model/vocabulary/index.js';
import { subjectNamed } from '../../../properties/subjects/subject-names.js';
import type { Answer, ExternalSubject } from '../../../properties/subjects/subject.js';
import { packageDirectory } from '../../own-package.js';
import { generatedCases } from '../fuzz-workloads.js';
import type { Budget, Figure, Group, Round, Workload } from '../measurement.js';
import { figureOf, ratioOf, stepFigures, takeRounds } from '../measurement.js';
import { together } from './processes.js';

const SOURCES = join(packageDirectory(), 'scripts/examples/c');
/** Programs that are asked for ahead, in rounds of what the subject takes. */
const ROUNDS_AHEAD = 3;
const ROUNDS = 3;
const TO_WASM = ['--target=wasm32', '-nostdlib', '-O2', '-Wl,--no-entry'];

/** Names of one machine, native and as WebAssembly. */
interface Built {
  readonly native: string;
  readonly wasm: string;
}

/** The walker of the examples, and one that does not report its shadow. Needs `cc`, and `clang` with `lld`. */
const buildWalkers = (directory: string): { readonly walker: Built; readonly bare: Built } => {
  const source = readFileSync(join(SOURCES, 'walker.c'), 'utf8');
  const withoutShadow = source.replace(' | SD_SHADOW,', ',');
  if (withoutShadow === source) throw new Error('walker.c does not say that it observes the shadow');
  copyFileSync(join(SOURCES, 'shadowdiff.h'), join(directory, 'shadowdiff.h'));
  const compiled = (name: string, text: string): Built => {
    const path = join(directory, name);
    writeFileSync(`${path}.c`, text);
    execFileSync('cc', ['-O2', '-o', path, `${path}.c`]);
    execFileSync('clang', [...TO_WASM, '-o', `${path}.wasm`, `${path}.c`]);
    return { native: `exec:${path}`, wasm: `wasm:${path}.wasm` };
  };
  return { walker: compiled('walker', source), bare: compiled('bare', withoutShadow) };
};

/** Asks a subject for the answers to programs, and judges nothing: what is left is the pipe, writing and reading. */
class Pipe {
  private readonly subject: ExternalSubject;
  private readonly programs: readonly Program[];
  private readonly steps: number;

  constructor(name: string, programs: readonly Program[]) {
    const subject = subjectNamed(name, 'bench', { caseTimeout: 10_000, allowed: 'all' });
    if (subject.kind !== 'external') throw new Error(`${name} runs in this process`);
    this.subject = subject;
    this.programs = programs;
    this.steps = programs.reduce((sum, { steps }) => sum + steps.length, 0);
  }

  async pass(): Promise<number> {
    const { inFlight } = await this.subject.start();
    const asked: Promise<Answer>[] = [];
    const take = async (): Promise<void> => {
      const answer = await asked.shift()!;
      if (answer.kind === 'failed') throw new Error(answer.detail);
    };
    for (const program of this.programs) {
      asked.push(this.subject.answer(program));
      if (asked.length > ROUNDS_AHEAD * inFlight) await take();
    }
    while (asked.length > 0) await take();
    return this.steps;
  }

  async close(): Promise<void> {
    await this.subject.close();
  }
}

const measurePipes = async (walker: string, bare: string, budget: Budget): Promise<readonly Figure[]> => {
  const programs = generatedCases(budget.programs).map(({ program }) => program);
  const pipes = {
    'pipe-json': new Pipe(`${bare} --json`, programs),
    'pipe-binary': new Pipe(bare, programs),
    'pipe-json-shadow': new Pipe(`${walker} --json`, programs),
    'pipe-binary-shadow': new Pipe(walker, programs),
  };
  const titles = {
    'pipe-json': 'a step behind a pipe, in JSON',
    'pipe-binary': 'a step behind a pipe, in words',
    'pipe-json-shadow': 'a step behind a pipe, in JSON, with its shadow',
    'pipe-binary-shadow': 'a step behind a pipe, in words, with its shadow',
  };
  const workloads = Object.entries(pipes).map(([id, pipe]): Workload => ({
    id,
    title: titles[id as keyof typeof titles],
    run: () => pipe.pass(),
  }));
  const rounds = await takeRounds(workloads, budget);
  for (const pipe of Object.values(pipes)) await pipe.close();
  return [
    ...stepFigures(workloads, rounds),
    ratioOf(
      { id: 'json-over-binary', title: 'JSON over words' },
      rounds,
      (round) => round['pipe-json'] / round['pipe-binary'],
    ),
  ];
};

const measureRates = async (walker: Built, bare: Built): Promise<readonly Figure[]> => {
  const rounds: Round[] = [];
  while (rounds.length < ROUNDS) {
    const impl = await together(1, 'batches');
    const one = await together(1, 'batches', bare.native);
    const json = await together(1, 'batches', `${bare.native} --json`);
    const shadow = await together(1, 'batches', walker.native);
    const two = await together(2, 'batches', bare.native);
    const wasm = await together(1, 'batches', bare.wasm);
    const wasmShadow = await together(1, 'batches', walker.wasm);
    const spin = [await together(1, 'spin'), await together(2, 'spin')];
    rounds.push({
      impl: impl.byClock,
      walker: one.byClock,
      two: two.byClock,
      'walker-over-impl': one.byClock / impl.byClock,
      'walker-over-impl-processor': one.byProcessor / impl.byProcessor,
      'walker-json-over-impl': json.byClock / impl.byClock,
      'walker-shadow-over-impl': shadow.byClock / impl.byClock,
      'wasm-over-impl': wasm.byClock / impl.byClock,
      'wasm-over-impl-processor': wasm.byProcessor / impl.byProcessor,
      'wasm-shadow-over-impl-processor': wasmShadow.byProcessor / impl.byProcessor,
      'walker-scaling': two.byClock / one.byClock,
      'walker-scaling-spin': spin[1].byClock / spin[0].byClock,
    });
  }
  const speed = (id: string, title: string): Figure =>
    figureOf(
      { id: `rate-${id}`, title, unit: 'steps/s' },
      rounds.map((round) => round[id]),
    );
  const ratio = (id: string, title: string): Figure => ratioOf({ id, title }, rounds, (round) => round[id]);
  return [
    speed('impl', 'one worker with impl, by the clock'),
    speed('walker', 'one worker with the walker in C, in words, without its shadow'),
    speed('two', 'two such workers together'),
    ratio('walker-over-impl', 'the walker over impl'),
    ratio('walker-over-impl-processor', 'the walker over impl, by processor time of node'),
    ratio('walker-json-over-impl', 'the walker in JSON over impl'),
    ratio('walker-shadow-over-impl', 'the walker with its shadow over impl'),
    ratio('wasm-over-impl', 'the walker as WebAssembly, without its shadow, over impl'),
    ratio('wasm-over-impl-processor', 'the same, by processor time'),
    ratio(
      'wasm-shadow-over-impl-processor',
      'the walker as WebAssembly, with its shadow, over impl, by processor time',
    ),
    ratio('walker-scaling', 'two workers with the walker over one'),
    ratio('walker-scaling-spin', 'two loops that only count over one: what this machine grants'),
  ];
};

const measureSubjects = async (budget: Budget): Promise<readonly Figure[]> => {
  const directory = mkdtempSync(join(tmpdir(), 'shadowdiff-bench-'));
  try {
    const { walker, bare } = buildWalkers(directory);
    return [...(await measurePipes(walker.native, bare.native, budget)), ...(await measureRates(walker, bare))];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

export const subjects: Group = {
  name: 'subjects',
  title: 'Subjects outside the process: processor time of node, and speed by the clock',
  measure: measureSubjects,
};
