import { describe, expect, test } from 'vitest';
import { Ledger } from '../../properties/campaign/ledger.js';
import { signatureOf } from '../../properties/divergence.js';
import { shapeOf } from '../../properties/namesakes.js';
import type { Finding } from '../../properties/finding.js';
import type { Step } from '../../model/vocabulary/index.js';
import { access, failAlloc, flushTlb, migrate, newPgtable, setPte } from '../../test-support/steps.js';
import { sampleFinding } from '../../test-support/sample-finding.js';
import { programOf } from '../../test-support/smallest-after.js';
import { triagedFindings } from './triage.js';

const SHAPES: readonly (readonly Step[])[] = [
  [access(0)],
  [setPte(0, 0, 1), flushTlb('all')],
  [newPgtable(0), newPgtable(0x1000)],
  [failAlloc(1), migrate(0)],
];

const finding = (steps: readonly Step[]): Finding =>
  sampleFinding({ program: programOf(steps), shrunk: 'wholly', shown: { times: 3, runs: 3 } });

describe('known findings with counterexamples', () => {
  const triageOf = (found: readonly Step[], known: readonly (readonly Step[])[]) => {
    const ledger = new Ledger();
    ledger.add({ kind: 'finding', finding: finding(found) });
    const signature = signatureOf(finding(found).divergence);
    const tolerated = new Map([[signature, known.map((steps) => shapeOf(programOf(steps)))]]);
    return triagedFindings(ledger, { recorded: new Map(), tolerated }).map(({ triage }) => triage);
  };

  test('excuse what is like one of them', () => {
    for (const steps of SHAPES.slice(0, 3)) expect(triageOf(steps, SHAPES.slice(0, 3))).toEqual(['tolerated']);
  });

  test('excuse no other, however many they are', () => {
    expect(triageOf(SHAPES[3], SHAPES.slice(0, 3))).toEqual(['new']);
  });
});
