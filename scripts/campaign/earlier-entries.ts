/** What a corpus held before a run began: its own findings, kept there before it was cut off and taken up again, are none of that. */

import { basename } from 'node:path';
import type { Finding } from '../../properties/finding.js';
import type { Stored } from '../../properties/corpus/store.js';
import { readCorpusIfThere } from '../../properties/corpus/store.js';
import type { RunRecord } from './run-record.js';

type Run = Pick<RunRecord, 'campaign' | 'parts'>;

/** Files that a run should replay, by name; none of a corpus that is not there yet. */
export const earlierEntries = async (corpus: string, run: Run): Promise<readonly string[]> =>
  (await readEarlier(corpus, run)).map(({ path }) => basename(path));

/** As `readCorpusIfThere`, without what the run itself kept there. */
export const readEarlier = async (corpus: string, run: Run): Promise<readonly Stored[]> => {
  const stored = await readCorpusIfThere(corpus);
  return stored.filter((each) => each.kind === 'unreadable' || !isOf(each.entry, run));
};

/** A campaign may be run every night; the moment at which a run began tells it from others. */
const isOf = ({ provenance }: Finding, { campaign, parts }: Run): boolean =>
  provenance.seed === campaign.seed && parts.some(({ started }) => started === provenance.date);
