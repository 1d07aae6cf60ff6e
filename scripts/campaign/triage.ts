/** What a reader of the morning wants to know of each finding: is it new, is it known, is it fixed, does it show each time? */

import { join } from 'node:path';
import type { CorpusEvent } from '../../properties/campaign/event.js';
import type { Ledger } from '../../properties/campaign/ledger.js';
import type { Discovery } from '../../properties/campaign/discoveries.js';
import { presented } from '../../properties/campaign/discoveries.js';
import type { Occurrence } from '../../properties/campaign/occurrence.js';
import { RERUNS } from '../../properties/campaign/occurrence.js';
import type { Finding } from '../../properties/finding.js';
import { signatureOf } from '../../properties/divergence.js';
import { commandLineOf } from '../terminal/shell-words.js';
import { readEarlier } from './earlier-entries.js';
import type { RunRecord } from './run-record.js';

/** `tolerated`: in the file of known findings. `recorded`: in the corpus, and still open. */
export type Status = 'new' | 'recorded' | 'tolerated' | 'flaky';

export interface TriagedFinding {
  readonly status: Status;
  readonly signature: string;
  /** Programs that showed it. */
  readonly count: number;
  readonly occurrence: Occurrence;
  /** In the corpus, of a recorded one. */
  readonly recordedAt: string | undefined;
}

export interface TriagedEntry {
  readonly path: string;
  /** As recorded, of a file that is an entry. */
  readonly signature: string | undefined;
  readonly reason: string;
  /** What to do about it. */
  readonly command: string;
}

export interface Triage {
  readonly findings: readonly TriagedFinding[];
  /** Entries of the corpus that the subject still diverges on, and whose findings the run did not make again. */
  readonly open: readonly TriagedEntry[];
  /** Entries of the corpus that are open and no longer diverge. */
  readonly fixed: readonly TriagedEntry[];
  /** Entries that diverge and should not, or that a planted bug no longer shows. */
  readonly broken: readonly TriagedEntry[];
  readonly unreadable: readonly TriagedEntry[];
}

export interface TriageContext {
  readonly record: RunRecord;
  /** The directory whose entries were replayed. */
  readonly replayed: string;
  /** The directory in which findings may be recorded. */
  readonly kept: string;
  readonly tolerated: ReadonlySet<string>;
}

export const triageOf = async (ledger: Ledger, context: TriageContext): Promise<Triage> => {
  const recorded = await recordedIn(context);
  const counts = ledger.signatures();
  const findings = ledger.discoveries.list().map((discovery): TriagedFinding => {
    const { signature } = discovery;
    const occurrence = presented(discovery);
    const recordedAt = recorded.get(signature);
    const status = statusOf(discovery, occurrence, recordedAt, context);
    return { status, signature, count: counts.get(signature) ?? 0, occurrence, recordedAt };
  });
  const sorted = sortEntries(ledger, context);
  const open = sorted.open.filter(({ signature }) => !findings.some((finding) => finding.signature === signature));
  return { findings, ...sorted, open };
};

const statusOf = (
  { signature }: Discovery,
  { shown }: Occurrence,
  recordedAt: string | undefined,
  { tolerated }: TriageContext,
): Status => {
  if (tolerated.has(signature)) return 'tolerated';
  if (shown !== undefined && shown < RERUNS) return 'flaky';
  return recordedAt === undefined ? 'new' : 'recorded';
};

/** Where the corpus has an open entry of the same sides, by signature. */
const recordedIn = async ({ kept, record }: TriageContext): Promise<ReadonlyMap<string, string>> => {
  const paths = new Map<string, string>();
  for (const stored of await readEarlier(kept, record)) {
    if (stored.kind !== 'entry' || !isOpenOf(stored.entry, record)) continue;
    const signature = signatureOf(stored.entry.divergence);
    if (!paths.has(signature)) paths.set(signature, stored.path);
  }
  return paths;
};

const isOpenOf = ({ status, subject, reference }: Finding, { campaign }: RunRecord): boolean =>
  status === 'open' && subject === campaign.subject && reference === campaign.reference;

const sortEntries = (ledger: Ledger, { replayed, record }: TriageContext): Omit<Triage, 'findings'> => {
  const sorted = { open: [], fixed: [], broken: [], unreadable: [] } as Record<Kind, TriagedEntry[]>;
  const events = [...ledger.corpus.values()].toSorted((one, other) => (one.file < other.file ? -1 : 1));
  for (const event of events) {
    const kind = kindOf(event);
    if (kind === undefined) continue;
    const path = join(replayed, event.file);
    const command = commandFor(kind, event, path, record.campaign.subject);
    sorted[kind].push({ path, signature: event.signature, reason: withoutPath(event.reason, path), command });
  }
  return sorted;
};

type Kind = Exclude<keyof Triage, 'findings'>;

const kindOf = ({ verdict, recordedFor }: CorpusEvent): Kind | undefined => {
  switch (verdict) {
    case 'as-recorded':
      return undefined;
    case 'diverges':
      return recordedFor === 'subject' ? 'open' : 'broken';
    case 'stale':
      // A planted bug is never mended: if it does not show, those who look for it became blind.
      return recordedFor === 'planted' ? 'broken' : 'fixed';
    case 'unreadable':
      return 'unreadable';
    default:
      return verdict satisfies never;
  }
};

const commandFor = (kind: Kind, { verdict, recordedFor }: CorpusEvent, path: string, subject: string): string => {
  if (kind === 'unreadable') return commandLineOf(['shadowdiff', 'regress', path]);
  const asRecorded = verdict === 'stale' || recordedFor === 'subject';
  return commandLineOf(['shadowdiff', 'replay', path, ...(asRecorded ? [] : ['--subject', subject])]);
};

const withoutPath = (reason: string, path: string): string =>
  reason.startsWith(`${path}: `) ? reason.slice(path.length + 2) : reason;
