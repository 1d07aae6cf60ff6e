/** How long a run looks at further findings of each signature. */

import { expect, test } from 'vitest';
import type { Event } from '../../properties/campaign/events.js';
import type { Finding } from '../../properties/finding.js';
import { HURRIED_RERUN_TIME, RERUN_TIME } from '../../properties/finding.js';
import { sampleFinding } from '../../test-support/sample-finding.js';
import type { RunContext } from './run-context.js';
import { Shrinking } from './shrinking.js';
import type { Task } from './tasks.js';

const finding = (program: number, difference: string): Finding =>
  sampleFinding({ divergence: { difference }, provenance: { program } });

/** How often something is shrunk, and the times that running findings again may take; each takes a second. */
const shrinking = async (
  shrinkTime: number,
): Promise<{ readonly shrunk: number; readonly times: readonly unknown[] }> => {
  let now = 0;
  let shrunk = 0;
  const times: unknown[] = [];
  const kept = ['a', 'b', 'c', 'd'].map((name, place) => [1, 2, 3].map((each) => finding(3 * place + each, name)));
  const perform = ({
    kind,
    ...task
  }: Task & { readonly finding?: Finding; readonly time?: number }): Promise<unknown> => {
    if (kind === 'rerun') {
      now += 1000;
      times.push(task.time);
    } else shrunk++;
    const result =
      kind === 'rerun' ? { times: 3, runs: 3 } : { kind: 'shrunk', finding: { ...task.finding, shrunk: 'wholly' } };
    return Promise.resolve({ kind: 'done', result });
  };
  const context = {
    plan: { part: { shrinkTime }, record: { campaign: { maxTries: 1 } } },
    settings: {},
    tolerated: new Map(),
    ledger: { findings: { list: () => kept } },
    get now() {
      return now;
    },
    perform,
    onFinding: () => Promise.resolve(),
    onEveryWorker: async (work: () => Promise<boolean>) => {
      while (await work());
    },
    record: ({ finding: given }: Extract<Event, { kind: 'finding' }>) => {
      for (const findings of kept)
        findings.splice(
          0,
          3,
          ...findings.map((each) => (each.provenance.program === given.provenance.program ? given : each)),
        );
    },
  };
  await new Shrinking(context as unknown as RunContext).run();
  return { shrunk, times };
};

test('running further findings again counts as shrinking, so that a slow subject does not make the run long', async () => {
  // Each kind, and one of the eight further findings: it is run again before and after, and then the time is too short for the next.
  expect((await shrinking(2500)).shrunk).toBe(4 + 1);
});

test('what is run again when the time is up takes little of it', async () => {
  expect((await shrinking(2500)).times).toEqual(new Array(11).fill(RERUN_TIME));
  expect(await shrinking(0)).toEqual({ shrunk: 0, times: new Array(4).fill(HURRIED_RERUN_TIME) });
});
