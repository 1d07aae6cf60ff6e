import { expect, test } from 'vitest';
import type { Defect } from '../impl/defects/defect.js';
import { lguestDefects } from '../impl/defects/catalogue.js';
import { signatureOf } from './divergence.js';
import { runBatch } from './campaign/batch.js';
import { shrinkFinding } from './campaign/shrink-finding.js';
import type { Finding } from './finding.js';
import { judgeOf } from './judging.js';
import { INVARIANTS } from './invariants/invariants.js';
import { MODEL, implWith } from './subjects/subject-names.js';

const PROGRAMS = 20_000;

/** The finding needs the deviation: with all the others it does not show. */
const needs = async ({ case: found, divergence: recorded }: Finding, defect: Defect): Promise<boolean> => {
  const others = lguestDefects().filter((each) => each !== defect);
  const subject = implWith('impl:lguest without one', others);
  const judging = judgeOf({ model: MODEL, subject, invariants: INVARIANTS });
  const divergence = await judging.judge(found);
  await judging.close();
  return divergence === undefined || signatureOf(divergence) !== signatureOf(recorded);
};

test('one run finds every deviation of lguest, without being told any', async () => {
  const options = {
    campaign: 'lguest',
    date: '',
    version: '',
    model: MODEL,
    subject: implWith('impl:lguest', lguestDefects()),
    invariants: INVARIANTS,
    paging: 'both',
    traffic: 'mixed',
    mostSteps: 160,
    mostTries: 20_000,
  } as const;
  const task = { range: { first: 0, stride: 1, count: PROGRAMS }, skip: [], enough: {} };
  const { findings: found } = await runBatch(options, task, () => undefined);
  const firsts = new Map(found.toReversed().map((finding) => [signatureOf(finding.divergence), finding]));
  const findings: Finding[] = [];
  for (const finding of firsts.values()) {
    const small = await shrinkFinding(options, finding, { pause: () => undefined, interrupted: () => false });
    if (small.kind === 'shrunk') findings.push(small.finding);
  }
  const missing: string[] = [];
  for (const defect of lguestDefects()) {
    const shown = await Promise.all(findings.map((finding) => needs(finding, defect)));
    if (!shown.includes(true)) missing.push(defect.id);
  }
  expect(missing).toEqual([]);
});
