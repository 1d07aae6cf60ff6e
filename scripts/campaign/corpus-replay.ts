/** Runs the entries of the corpus again, before anything new is looked for. */

import { basename, join } from 'node:path';
import type { CorpusFile } from '../../properties/corpus/store.js';
import { isReadable, readCorpusIfThere } from '../../properties/corpus/store.js';
import type { Finding } from '../../properties/finding.js';
import type { RunContext } from './run-context.js';
import { MOST_ATTEMPTS, failureText } from './run-context.js';
import type { RunRecord } from './run-directory.js';

export const replayCorpus = async (context: RunContext): Promise<void> => {
  const { part, record } = context.plan;
  const files = await earlierEntries(part.corpus, { campaign: record.campaign, parts: [part] });
  const { corpus } = context.ledger;
  const isLeft = (file: string): boolean => (corpus.get(file)?.verdict ?? 'not-run') === 'not-run';
  const left = files.map(({ file }) => basename(file)).filter(isLeft);
  await context.onEveryWorker(async () => {
    const file = left.shift();
    if (file === undefined) return false;
    await replayFile(file, context);
    return true;
  });
};

const replayFile = async (file: string, context: RunContext): Promise<void> => {
  const { subject, caseTimeout, startTimeout, capabilities, allowed } = context.settings;
  const path = join(context.plan.part.corpus, file);
  const outcome = await context.perform(
    { kind: 'corpus', path, subject, caseTimeout, startTimeout, capabilities, allowed },
    { attempts: MOST_ATTEMPTS },
  );
  if (outcome.kind === 'unknown') return;
  if (outcome.kind === 'failed') {
    const reason = failureText(outcome);
    return context.record({ kind: 'corpus', file, recordedFor: 'unknown', verdict: 'diverges', reason });
  }
  const { recordedFor, signature, verdict, reason } = outcome.result;
  const recorded = signature === undefined ? {} : { signature };
  context.record({ kind: 'corpus', file, recordedFor, ...recorded, verdict, reason });
};

type Run = Pick<RunRecord, 'campaign' | 'parts'>;

/** What a corpus held before a run began: not the findings that the run stored there before it was cut off and resumed. */
export const earlierEntries = async (corpus: string, run: Run): Promise<readonly CorpusFile[]> => {
  const stored = await readCorpusIfThere(corpus);
  return stored.filter((each) => !isReadable(each) || !isOf(each, run));
};

/** A campaign may run every night; the moment at which it began sets it apart. */
const isOf = ({ provenance }: Finding, { campaign, parts }: Run): boolean =>
  provenance.seed === campaign.seed && parts.some(({ started }) => started === provenance.date);
