/** The real page_tables.c, where `LGUEST_SOURCE` names a copy: a million steps beside `impl:lguest`, and a run that finds every deviation. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lguestDefects } from '../../../impl/defects/catalogue.js';
import { ShadowMachine } from '../../../impl/shadow-machine.js';
import { CommandSubject } from '../../../properties/subjects/command-subject.js';
import { traceWithShadowOf } from '../../../properties/trace-of.js';
import {
  SANITIZERS,
  binaryTraces,
  comparedTraceWithShadow,
  isInstalled,
  programsOf,
  unless,
} from '../../../test-support/c-subjects.js';
import { deviationsMissed } from '../../../test-support/lguest-hunt.js';

const BUILD = fileURLToPath(new URL('build.sh', import.meta.url));
/** In each paging mode: half a million in both. */
const STEPS = 250_000;
const CHUNK = 200;
const PROGRAMS = 6_000;
const TIMEOUT = 20_000;

const hasSource = process.env['LGUEST_SOURCE'] !== undefined;
const isTested = hasSource && isInstalled('gcc');

let directory: string;

const build = (name: string, options: readonly string[] = []): string => {
  const path = join(directory, name);
  const { status, stderr } = spawnSync(BUILD, [path, ...options], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return path;
};

const commandSubject = (command: string): CommandSubject =>
  new CommandSubject(command, '--subject', { caseTimeout: TIMEOUT, startTimeout: TIMEOUT });

describe.skipIf(!isTested)(`lguest${unless(hasSource, 'set LGUEST_SOURCE')}`, () => {
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'lguest-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test.each([
    { paging: '2-level', name: 'native', options: [], steps: STEPS },
    { paging: 'pae', name: 'native', options: [], steps: STEPS },
    { paging: 'both', name: 'sanitized', options: SANITIZERS, steps: STEPS / 2 },
  ] as const)(
    '$steps steps in $paging, $name, are those of impl:lguest, shadow included',
    ({ paging, name, options, steps }) => {
      const lguest = build(name, options);
      const machine = new ShadowMachine();
      for (const defect of lguestDefects()) defect.plant(machine);
      let done = 0;
      for (let first = 0; done < steps; first += CHUNK) {
        const programs = programsOf('lguest at length', { first, count: CHUNK, paging });
        const answers = binaryTraces(lguest, programs);
        for (const [index, program] of programs.entries()) {
          done += program.steps.length;
          const expected = comparedTraceWithShadow(traceWithShadowOf(machine, program));
          if (comparedTraceWithShadow(answers[index]) !== expected)
            expect({ program, answer: answers[index] }).toBe(expected);
        }
      }
      expect(done).toBeGreaterThanOrEqual(steps);
    },
  );

  test('one run finds every deviation in it, without being told any', async () => {
    expect(await deviationsMissed(commandSubject(build('hunted')), PROGRAMS)).toEqual([]);
  });
});
