/** Bugs that only the shadow tables show, in machines in processes of their own. */

import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import type { Program } from '../model/vocabulary/index.js';
import { vaddr } from '../model/vocabulary/index.js';
import { parseCounterexample } from './corpus/counterexample.js';
import type { Divergence } from './divergence.js';
import type { Finding } from './finding.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Pair } from './pair.js';
import { MODEL, ownMachine } from './subjects/subject-names.js';
import { CommandSubject } from './subjects/command-subject.js';
import type { Subject } from './subjects/subject.js';

const DIST = join(inject('clone'), 'dist');
const CORPUS = new URL('../corpus/', import.meta.url);
const ENTRIES: readonly Finding[] = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.json'))
  .map((name) => parseCounterexample(readFileSync(new URL(name, CORPUS), 'utf8'), name));

const commandSubject = (command: string): Subject =>
  new CommandSubject(command, 'test', { caseTimeout: 60_000, startTimeout: 60_000 });

const judged = async (subject: Subject, program: Program, contractKept = false): Promise<Divergence | undefined> => {
  const pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  return await pair.run(program, { contractKept, twice: false }).finally(() => pair.close());
};

describe.each([
  'confinement',
  'least-privilege',
  'switcher',
  'stack-pinned',
  'kernel-broadcast',
  'pgdir-cache',
  'flush',
  'table-accounting',
])('%s', (invariant) => {
  test('catches through a pipe what it catches in the process, at the same place', async () => {
    const { case: kept, subject } = ENTRIES.find(({ divergence }) => divergence.invariant === invariant)!;
    const { traffic, program } = kept;
    const command = `${process.execPath} ${join(DIST, 'scripts/shadowdiff.js')} trace --shadow --subject ${subject}`;
    const found = await judged(ownMachine(subject, 'test')!, program, traffic === 'coherent');
    expect(found?.invariant).toBe(invariant);
    expect(await judged(commandSubject(command), program, traffic === 'coherent')).toEqual(found);
  });
});

/** A sound machine whose report of its leaves is changed: `change` is a function of the list, in JavaScript. */
const reporting = (change: string): Subject => {
  const path = join(mkdtempSync(join(tmpdir(), 'shadowdiff-shadow-')), 'subject.mjs');
  const script = `import { createInterface } from 'node:readline';
    import { ShadowMachine, formatTrace, parseProgram, traceWithShadowOf } from '${join(DIST, 'properties/index.js')}';
    const observes = ['outcome', 'references', 'stores', 'tables', 'switcher', 'shadow'];
    const change = ${change};
    for await (const line of createInterface({ input: process.stdin })) {
      const { format } = JSON.parse(line);
      if (format === 'shadowdiff-hello/2') {
        console.log(JSON.stringify({ format, name: 'mine', observes }));
        continue;
      }
      const trace = JSON.parse(formatTrace(traceWithShadowOf(new ShadowMachine(), parseProgram(line, 'input'))));
      for (const { shadow } of [trace.created, ...trace.steps]) if (shadow) shadow.leaves = change(shadow.leaves);
      console.log(JSON.stringify(trace));
    }`;
  writeFileSync(path, script);
  return commandSubject(`${process.execPath} ${path}`);
};

const ENTERED: Program = {
  machine: { paging: 'pae', guestPages: 64, devicePages: 0, hostCpus: 2, draw: 0, failAllocation: 0 },
  steps: [
    { op: 'init', kernelAddress: vaddr(0xc0000000) },
    { op: 'access', vaddr: vaddr(0x3000), kind: 'write', mode: 'kernel' },
  ],
};

test.each([
  [
    "the host's state page is writable by the user",
    'state open to the user',
    "(leaves) => leaves.map((leaf) => (leaf[2] === 'switcher-state' ? [...leaf.slice(0, 4), 3, 3] : leaf))",
  ],
  [
    "another CPU's page is mapped and not counted",
    "another CPU's state",
    `(leaves) => leaves.flatMap((leaf) => leaf[2] === 'switcher-state'
      ? [leaf, [leaf[0], '0x' + (Number(leaf[1]) + 0x2000).toString(16), leaf[2], 1, leaf[4], leaf[5]]] : [leaf])`,
  ],
])('%s', async (_, difference, change) => {
  const found = await judged(reporting(change), ENTERED);
  expect(found).toMatchObject({ invariant: 'switcher', difference, place: { kind: 'step', index: 1 } });
  expect(await judged(reporting('(leaves) => leaves'), ENTERED)).toBeUndefined();
});
