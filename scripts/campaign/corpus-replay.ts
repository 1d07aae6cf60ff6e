/** The first phase: the entries of the corpus. */

import { join } from 'node:path';
import { earlierEntries } from './earlier-entries.js';
import type { Workshop } from './workshop.js';

export const replayCorpus = async (workshop: Workshop): Promise<void> => {
  const { part, record } = workshop.plan;
  const files = await earlierEntries(part.corpus, { campaign: record.campaign, parts: [part] });
  const left = files.filter((file) => !workshop.ledger.corpus.has(file));
  await workshop.everyWorker(async () => {
    const file = left.shift();
    if (file === undefined) return false;
    await replayFile(file, workshop);
    return true;
  });
};

const replayFile = async (file: string, workshop: Workshop): Promise<void> => {
  const { subject, caseTimeout } = workshop.settings;
  const path = join(workshop.plan.part.corpus, file);
  const outcome = await workshop.have({ kind: 'corpus', path, subject, caseTimeout });
  if (outcome.kind === 'aborted') return;
  if (outcome.kind === 'failed') {
    const reason = `the worker ${outcome.how} on it: ${outcome.detail}`;
    return workshop.remember({ kind: 'corpus', file, recordedFor: 'nobody', verdict: 'diverges', reason });
  }
  const { recordedFor, signature, verdict, reason } = outcome.result;
  const recorded = signature === undefined ? {} : { signature };
  workshop.remember({ kind: 'corpus', file, recordedFor, ...recorded, verdict, reason });
};
