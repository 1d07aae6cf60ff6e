/**
 * The real page_tables.c as a subject, where `LGUEST_SOURCE` names a copy: it is what `impl:lguest` stands for, to the bit, and shows
 * every deviation that FINDINGS.md describes.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lguestDefects } from '../../../impl/defects/catalogue.js';
import type { Defect } from '../../../impl/defects/defect.js';
import { ShadowMachine } from '../../../impl/shadow-machine.js';
import type { Program, Trace } from '../../../model/vocabulary/index.js';
import { signatureOf } from '../../../properties/divergence.js';
import { readCorpus, readableOf } from '../../../properties/corpus/store.js';
import { shortestEntry } from '../../../properties/findings-document.js';
import { programFromJson, traceFromJson } from '../../../properties/formats/index.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { Pair } from '../../../properties/pair.js';
import { CommandSubject } from '../../../properties/subjects/command-subject.js';
import { MODEL } from '../../../properties/subjects/subject-names.js';
import { traceWithShadowOf } from '../../../properties/trace-of.js';
import {
  SANITIZERS,
  binaryTraces,
  comparedTrace,
  comparedTraceWithShadow,
  isInstalled,
  jsonTraces,
  programsOf,
  unless,
} from '../../../test-support/c-subjects.js';

const TIMEOUT = 20_000;
const BUILD = fileURLToPath(new URL('build.sh', import.meta.url));
const VECTORS = new URL('../../../impl/defects/lguest-vectors.jsonl.gz', import.meta.url);
const CORPUS = fileURLToPath(new URL('../../../corpus', import.meta.url));

const hasSource = process.env['LGUEST_SOURCE'] !== undefined;
const isTested = hasSource && isInstalled('gcc');

let directory: string;
let lguest: string;

const build = (name: string, options: readonly string[] = []): string => {
  const path = join(directory, name);
  const { status, stdout, stderr } = spawnSync(BUILD, [path, ...options], { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  return path;
};

const implWith = (defects: readonly Defect[]): ShadowMachine => {
  const machine = new ShadowMachine();
  for (const defect of defects) defect.plant(machine);
  return machine;
};

/** The first program to which the C answers otherwise than a machine of this process. */
const firstDifference = (command: string, machine: ShadowMachine, programs: readonly Program[]): unknown => {
  const answers = binaryTraces(command, programs);
  for (const [index, program] of programs.entries()) {
    const expected = comparedTraceWithShadow(traceWithShadowOf(machine, program));
    const actual = comparedTraceWithShadow(answers[index]);
    if (actual !== expected) return { program, expected, actual };
  }
  return undefined;
};

const commandSubject = (command: string): CommandSubject =>
  new CommandSubject(command, '--subject', { caseTimeout: TIMEOUT, startTimeout: TIMEOUT });

/** Another deviation may diverge first in its program. Then what the C answers must still differ from what it would without this one. */
const isNeeded = (defect: Defect, program: Program): boolean => {
  const others = lguestDefects().filter((each) => each !== defect);
  return firstDifference(lguest, implWith(others), [program]) !== undefined;
};

describe.skipIf(!isTested)(`lguest${unless(hasSource, 'set LGUEST_SOURCE')}`, () => {
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'lguest-'));
    lguest = build('lguest');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('answers every recorded program as it did when it was recorded', () => {
    const vectors = gunzipSync(readFileSync(VECTORS)).toString().trim().split('\n');
    const recorded = vectors.map((line, index): { readonly program: Program; readonly trace: Trace } => {
      const { program: programJson, trace } = JSON.parse(line) as { program: unknown; trace: unknown };
      const program = programFromJson(programJson, `vector ${index}`);
      return { program, trace: traceFromJson(trace, `vector ${index}`, program) };
    });
    const answers = jsonTraces(
      lguest,
      recorded.map(({ program }) => program),
    );
    expect(answers.map(comparedTrace)).toEqual(recorded.map(({ trace }) => comparedTrace(trace)));
  });

  test.each(['2-level', 'pae'] as const)('in %s it is impl:lguest', (paging) => {
    const programs = programsOf('lguest', { first: 0, count: 300, paging });
    expect(firstDifference(lguest, implWith(lguestDefects()), programs)).toBeUndefined();
  });

  test('has no error that AddressSanitizer or UBSan would see', () => {
    const sanitized = build('sanitized', SANITIZERS);
    const programs = programsOf('lguest', { first: 300, count: 300, paging: 'both' });
    expect(firstDifference(sanitized, implWith(lguestDefects()), programs)).toBeUndefined();
  });

  test('shows each finding of FINDINGS.md', async () => {
    const entries = (await readCorpus(CORPUS)).map(readableOf);
    const pair = new Pair({ model: MODEL, subject: commandSubject(lguest), invariants: INVARIANTS });
    for (const defect of lguestDefects()) {
      const entry = shortestEntry(defect, entries)!;
      const { program, traffic } = entry.case;
      const found = await pair.run(program, { contractKept: traffic === 'coherent', twice: false });
      const same = found !== undefined && signatureOf(found) === signatureOf(entry.divergence);
      expect.soft(same || isNeeded(defect, program), defect.id).toBe(true);
    }
    await pair.close();
  });
});
