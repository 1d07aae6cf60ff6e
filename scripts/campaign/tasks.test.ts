import { expect, test } from 'vitest';
import type { Program } from '../../model/vocabulary/index.js';
import { runBatch } from '../../properties/campaign/batch.js';
import { versionOne } from '../../properties/subjects/capabilities.js';
import { IMPL, MODEL } from '../../properties/subjects/subject-names.js';
import type { ExternalSubject } from '../../properties/subjects/subject.js';
import { traceOf } from '../../properties/trace-of.js';
import { Subjects } from './tasks.js';

test('of a command that fails at the end of all its processes one end is kept, behind programs of a campaign', async () => {
  let seen: readonly Program[] = [];
  const leaky: ExternalSubject = {
    kind: 'external',
    name: 'exec:leaky',
    start: () => Promise.resolve(versionOne('leaky')),
    answer: (program) => {
      seen = [...seen, program];
      return Promise.resolve({ kind: 'trace', trace: traceOf(IMPL.create(), program) });
    },
    close: () =>
      Promise.resolve({
        answer: { kind: 'failed', failure: 'subject-crash', detail: 'a leak', did: 'crashed: a leak' },
        seen,
      }),
  };
  const subjects = new Subjects(() => leaky);
  const subject = subjects.named(leaky.name, '--subject', { caseTimeout: 1, allowed: 'all' }) as ExternalSubject;
  const range = { first: 0, stride: 1, count: 3 };
  const campaign = {
    campaign: 'ends',
    date: '',
    version: '',
    paging: 'both',
    traffic: 'mixed',
    mostSteps: 48,
  } as const;
  await runBatch(
    { ...campaign, model: MODEL, subject, invariants: [] },
    { range, skip: [], enough: {} },
    () => undefined,
  );
  for (let time = 0; time < 3; time++) await subject.close();
  expect(await subjects.close()).toMatchObject([{ name: leaky.name, seen }]);
  // Such as those that are tried while a finding shrinks.
  await subject.answer({ ...seen[0] });
  await subject.close();
  expect(await subjects.close()).toEqual([]);
});
