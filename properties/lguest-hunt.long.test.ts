import { expect, test } from 'vitest';
import type { Defect } from '../impl/defects/defect.js';
import { lguestDefects } from '../impl/defects/catalogue.js';
import { signatureOf } from './divergence.js';
import type { KindOfFinding } from './fuzz.js';
import { fuzz } from './fuzz.js';
import { judgeOf } from './judging.js';
import { INVARIANTS } from './invariants/invariants.js';
import { MODEL, implWith } from './subjects/subject-names.js';

const PROGRAMS = 20_000;

/** The finding needs the deviation: with all the others it does not show. */
const needs = async ({ case: found, signature }: KindOfFinding, defect: Defect): Promise<boolean> => {
  const others = lguestDefects().filter((each) => each !== defect);
  const subject = implWith('impl:lguest without one', others);
  const judging = judgeOf({ reference: MODEL, subject, invariants: INVARIANTS });
  const divergence = await judging.judge(found);
  await judging.close();
  return divergence === undefined || signatureOf(divergence) !== signature;
};

test('one run finds every deviation of lguest, without being told any', async () => {
  const { findings } = await fuzz(
    {
      campaign: 'lguest',
      reference: MODEL,
      subject: implWith('impl:lguest', lguestDefects()),
      invariants: INVARIANTS,
      paging: 'both',
      traffic: 'mixed',
      mostSteps: 160,
      mostFindings: 1000,
      mostTries: 20_000,
    },
    { goOn: (programs) => programs < PROGRAMS },
  );
  const missing: string[] = [];
  for (const defect of lguestDefects()) {
    const shown = await Promise.all(findings.map((finding) => needs(finding, defect)));
    if (!shown.includes(true)) missing.push(defect.id);
  }
  expect(missing).toEqual([]);
});
