/** What a reader of the morning wants to know of each finding: is it new, is it known, is it fixed, does it show each time? */

import { join } from 'node:path';
import type { Ledger } from '../../properties/campaign/ledger.js';
import type { Discovery } from '../../properties/campaign/discoveries.js';
import { presented } from '../../properties/campaign/discoveries.js';
import type { Occurrence } from '../../properties/campaign/occurrence.js';
import { RERUNS } from '../../properties/campaign/occurrence.js';
import type { CorpusEntry } from '../../properties/corpus/entry.js';
import { readCorpus } from '../../properties/corpus/store.js';
import { signatureOf } from '../../properties/divergence.js';
import { commandLineOf } from '../report/shell-words.js';

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
  readonly reason: string;
  /** What to do about it. */
  readonly command: string;
}

export interface Triage {
  readonly findings: readonly TriagedFinding[];
  /** Entries of the corpus that are open and no longer diverge. */
  readonly fixed: readonly TriagedEntry[];
  /** Entries that diverge and should not, or that a planted bug no longer shows. */
  readonly broken: readonly TriagedEntry[];
  readonly unreadable: readonly TriagedEntry[];
}

export interface TriageContext {
  readonly subject: string;
  readonly reference: string;
  /** Directory of the corpus. */
  readonly corpus: string;
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
  return { findings, ...entriesOf(ledger, context) };
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
const recordedIn = async ({ corpus, subject, reference }: TriageContext): Promise<ReadonlyMap<string, string>> => {
  const paths = new Map<string, string>();
  for (const stored of await readCorpus(corpus).catch(() => [])) {
    if (stored.kind !== 'entry' || !isOpenOf(stored.entry, subject, reference)) continue;
    const signature = signatureOf(stored.entry.divergence);
    if (!paths.has(signature)) paths.set(signature, stored.path);
  }
  return paths;
};

const isOpenOf = (entry: CorpusEntry, subject: string, reference: string): boolean =>
  entry.status === 'open' && entry.subject === subject && entry.reference === reference;

const entriesOf = (ledger: Ledger, { corpus, subject }: TriageContext): Omit<Triage, 'findings'> => {
  const fixed: TriagedEntry[] = [];
  const broken: TriagedEntry[] = [];
  const unreadable: TriagedEntry[] = [];
  for (const { file, planted, verdict, reason } of [...ledger.corpus.values()].toSorted((a, b) =>
    a.file < b.file ? -1 : 1,
  )) {
    const path = join(corpus, file);
    const sides = subject === 'impl' ? [] : ['--subject', subject];
    const entry = (command: string): TriagedEntry => ({ path, reason: withoutPath(reason, path), command });
    switch (verdict) {
      case 'as-recorded':
        break;
      case 'stale':
        // A planted bug is never mended: if it does not show, those who look for it became blind.
        if (planted) broken.push(entry(commandLineOf(['shadowdiff', 'regress', path])));
        else fixed.push(entry(commandLineOf(['shadowdiff', 'replay', path])));
        break;
      case 'diverges':
        broken.push(entry(commandLineOf(['shadowdiff', 'replay', path, ...sides])));
        break;
      case 'unreadable':
        unreadable.push(entry(commandLineOf(['shadowdiff', 'regress', path])));
        break;
      default:
        verdict satisfies never;
    }
  }
  return { fixed, broken, unreadable };
};

const withoutPath = (reason: string, path: string): string =>
  reason.startsWith(`${path}: `) ? reason.slice(path.length + 2) : reason;
