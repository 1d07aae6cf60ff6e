/** Whether one run finds every deviation of lguest from the specification, in a machine that has them all. */

import type { Defect } from '../impl/defects/defect.js';
import { lguestDefects } from '../impl/defects/catalogue.js';
import { runBatch } from '../properties/campaign/batch.js';
import { shrinkFinding } from '../properties/campaign/shrink-finding.js';
import { signatureOf } from '../properties/divergence.js';
import type { Finding } from '../properties/finding.js';
import { INVARIANTS } from '../properties/invariants/invariants.js';
import { judgeOf } from '../properties/judging.js';
import { MODEL, implWith } from '../properties/subjects/subject-names.js';
import type { Subject } from '../properties/subjects/subject.js';

/** The signature of a finding's program in `impl` with these defects; undefined if nothing shows. */
const signatureWith = async (defects: readonly Defect[], { case: found }: Finding): Promise<string | undefined> => {
  const judging = judgeOf({ model: MODEL, subject: implWith('impl with deviations', defects), invariants: INVARIANTS });
  const divergence = await judging.judge(found);
  await judging.close();
  return divergence === undefined ? undefined : signatureOf(divergence);
};

/** The finding shows in `impl` with all deviations, and needs this one: with the others alone it does not show. */
const needs = async (finding: Finding, defect: Defect): Promise<boolean> => {
  const signature = signatureOf(finding.divergence);
  const others = lguestDefects().filter((each) => each !== defect);
  if ((await signatureWith(lguestDefects(), finding)) !== signature) return false;
  return (await signatureWith(others, finding)) !== signature;
};

/** Runs `programs` programs on a machine with all deviations, and returns the ids of those that no finding needs. */
export const deviationsMissed = async (subject: Subject, programs: number): Promise<readonly string[]> => {
  const options = {
    campaign: 'lguest',
    date: '',
    version: '',
    model: MODEL,
    subject,
    invariants: INVARIANTS,
    paging: 'both',
    traffic: 'mixed',
    mostSteps: 160,
    mostTries: 20_000,
  } as const;
  const task = { range: { first: 0, stride: 1, count: programs }, skip: [], enough: {} };
  const { findings: found } = await runBatch(options, task, () => undefined);
  const firsts = new Map(found.toReversed().map((finding) => [signatureOf(finding.divergence), finding]));
  const findings: Finding[] = [];
  for (const finding of firsts.values()) {
    const small = await shrinkFinding(options, finding, { pause: () => undefined, interrupted: () => false });
    if (small.kind === 'shrunk') findings.push(small.finding);
  }
  const missed: string[] = [];
  for (const defect of lguestDefects()) {
    const shown = await Promise.all(findings.map((finding) => needs(finding, defect)));
    if (!shown.includes(true)) missed.push(defect.id);
  }
  return missed;
};
