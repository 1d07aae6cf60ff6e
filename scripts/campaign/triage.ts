/** What the reader of a campaign needs to know about each finding and entry: is it new, known, fixed, does it always show? */

import { join } from 'node:path';
import type { CorpusEvent } from '../../properties/campaign/events.js';
import type { Ledger } from '../../properties/campaign/ledger.js';
import { representative } from '../../properties/campaign/ledger.js';
import { isReadable } from '../../properties/corpus/store.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Finding, Triage } from '../../properties/finding.js';
import { isFlaky } from '../../properties/finding.js';
import type { CorpusSummary } from '../report/document/summary-document.js';
import { earlierEntries } from './corpus-replay.js';
import type { RunRecord } from './run-directory.js';

export interface TriageOptions {
  readonly record: RunRecord;
  /** The directory in which findings may be recorded. */
  readonly kept: string;
  /** Signatures. */
  readonly tolerated: ReadonlySet<string>;
}

/** The finding that represents each signature, in the order in which one run would have met them. */
export const triagedFindings = async (
  ledger: Ledger,
  { record, kept, tolerated }: TriageOptions,
): Promise<readonly Finding[]> => {
  const counts = ledger.signatures();
  const all = ledger.findings.list();
  const recorded = all.length === 0 ? new Map<string, string>() : await recordedIn(kept, record);
  return all.map((findings): Finding => {
    const finding = representative(findings);
    const signature = signatureOf(finding.divergence);
    const file = recorded.get(signature);
    const triage = triageOf(finding, tolerated.has(signature), file !== undefined);
    // A run may be cut off between the finding and its batch; then it is known of one program.
    return { ...finding, count: counts.get(signature) ?? 1, triage, ...(file === undefined ? {} : { file }) };
  });
};

const triageOf = (finding: Finding, isTolerated: boolean, isRecorded: boolean): Triage => {
  if (isTolerated) return 'tolerated';
  if (isFlaky(finding)) return 'flaky';
  return isRecorded ? 'recorded' : 'new';
};

/** Where the corpus has an open entry of the same sides, by signature. A fuzz run does not ask. */
const recordedIn = async (corpus: string, record: RunRecord): Promise<ReadonlyMap<string, string>> => {
  const files = new Map<string, string>();
  const { kind, subject, reference } = record.campaign;
  if (kind === 'fuzz') return files;
  for (const stored of await earlierEntries(corpus, record)) {
    if (!isReadable(stored) || stored.status !== 'open') continue;
    if (stored.subject !== subject || stored.reference !== reference) continue;
    const signature = signatureOf(stored.divergence);
    if (!files.has(signature)) files.set(signature, stored.file);
  }
  return files;
};

/** What the replay of a corpus showed. Open entries whose findings the run made again are left out. */
export const corpusSummary = (ledger: Ledger, corpus: string, subject: string): CorpusSummary => {
  const sorted: Record<EntryKind, CorpusSummary[EntryKind][number][]> = {
    open: [],
    fixed: [],
    broken: [],
    unreadable: [],
    notRun: [],
    unsupported: [],
  };
  for (const event of [...ledger.corpus.values()].toSorted((one, other) => (one.file < other.file ? -1 : 1))) {
    const kind = entryKind(event);
    if (kind === undefined) continue;
    const { signature, reason } = event;
    if (kind === 'open' && ledger.findings.of(signature ?? '').length > 0) continue;
    const file = join(corpus, event.file);
    const tested = isOfRecorded(event) ? {} : { subject };
    const named = signature === undefined ? {} : { signature };
    sorted[kind].push({ file, ...tested, ...named, reason: withoutPath(reason, file) });
  }
  return { replayed: ledger.corpus.size, ...sorted };
};

type EntryKind = Exclude<keyof CorpusSummary, 'replayed'>;

const entryKind = ({ verdict, recordedFor }: CorpusEvent): EntryKind | undefined => {
  switch (verdict) {
    case 'as-recorded':
      return undefined;
    case 'diverges':
      return recordedFor === 'subject' ? 'open' : 'broken';
    case 'stale':
      // A planted bug is never fixed: if it no longer shows, the invariants have become blind to it.
      return recordedFor === 'planted' ? 'broken' : 'fixed';
    case 'unreadable':
      return 'unreadable';
    case 'not-run':
      return 'notRun';
    case 'unsupported':
      return 'unsupported';
    default:
      return verdict satisfies never;
  }
};

/** Whether the verdict is about the sides that the file names. */
const isOfRecorded = ({ verdict, recordedFor }: CorpusEvent): boolean =>
  verdict !== 'diverges' || recordedFor === 'subject';

const withoutPath = (reason: string, path: string): string =>
  reason.startsWith(`${path}: `) ? reason.slice(path.length + 2) : reason;
