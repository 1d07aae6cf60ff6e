/** What the reader of a campaign needs to know about each finding and entry: is it new, known, fixed, does it always show? */

import { basename, join } from 'node:path';
import type { CorpusEvent } from '../../properties/campaign/events.js';
import type { Ledger } from '../../properties/campaign/ledger.js';
import { representative } from '../../properties/campaign/ledger.js';
import type { StoredFinding } from '../../properties/corpus/store.js';
import { isReadable } from '../../properties/corpus/store.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Finding } from '../../properties/finding.js';
import { isFlaky } from '../../properties/finding.js';
import type { Shape } from '../../properties/namesakes.js';
import { MOST_SHAPES, areAlike, groupsOf, settledShape, shapeOf } from '../../properties/namesakes.js';
import type { CorpusSummary } from '../report/document/summary-document.js';
import { earlierEntries } from './corpus-replay.js';
import type { RunRecord } from './run-directory.js';
import type { Tolerated } from './tolerance.js';

/** Entries of the corpus that are open and have the sides of the run, by signature. */
export type Recorded = ReadonlyMap<string, readonly StoredFinding[]>;

/** What was known before the run. */
export interface Known {
  readonly recorded: Recorded;
  readonly tolerated: Tolerated;
}

/**
 * The findings that stand for each signature, one of each shape, in the order in which one run would have met the signatures. A `tolerated`
 * one stands for what the file of known findings excuses.
 */
export const triagedFindings = (ledger: Ledger, known: Known): readonly Finding[] => {
  const counts = ledger.signatures();
  return ledger.findings.list().flatMap((kept) => {
    const standing = representative(kept);
    const signature = signatureOf(standing.divergence);
    const sorter = new Sorter(signature, standing, known);
    const groups = groupsOf(kept, standing).map(({ leader, members }): Finding => ({
      ...leader,
      ...sorter.sort(leader),
      count: members.length,
    }));
    const apart = groups.filter(({ namesake }) => namesake);
    // A run may be cut off between the finding and its batch; then it is known of one program.
    const count = Math.max(1, (counts.get(signature) ?? 1) - apart.reduce((sum, each) => sum + each.count!, 0));
    const main = groups.find(({ namesake }) => !namesake);
    return [...(main === undefined ? [] : [{ ...main, count }]), ...apart];
  });
};

/** Sorts the findings of one signature, of which one stands for it. */
class Sorter {
  private readonly standing: Finding;
  private readonly entries: readonly StoredFinding[];
  private readonly tolerated: readonly (Shape | undefined)[] | undefined;

  constructor(signature: string, standing: Finding, { recorded, tolerated }: Known) {
    this.standing = standing;
    this.entries = recorded.get(signature) ?? [];
    this.tolerated = tolerated.get(signature)?.map((shape) => shape ?? settledShape(standing));
  }

  sort(finding: Finding): Pick<Finding, 'triage' | 'file' | 'namesake'> {
    const shape = settledShape(finding);
    if (excuses(this.tolerated, shape)) return { triage: 'tolerated' };
    const entry = entryFor(this.entries, shape);
    const isNamed = finding === this.standing && this.tolerated === undefined;
    const isKnown = this.entries.length === 0 || entry !== undefined;
    return {
      triage: isFlaky(finding) ? 'flaky' : entry === undefined ? 'new' : 'recorded',
      ...(entry === undefined ? {} : { file: entry.file }),
      ...(isNamed && isKnown ? {} : { namesake: true }),
    };
  }
}

/** Whether a shape is among those tolerated, or may be. */
const excuses = (tolerated: readonly (Shape | undefined)[] | undefined, shape: Shape | undefined): boolean => {
  if (tolerated === undefined) return false;
  return shape === undefined || tolerated.some((each) => each === undefined || areAlike(each, shape));
};

/** The entry of a signature whose program is alike. If there are many, or the shape is not known, any will do. */
const entryFor = (entries: readonly StoredFinding[], shape: Shape | undefined): StoredFinding | undefined => {
  const shapes = entries.map(({ case: { program } }) => shapeOf(program));
  const distinct = shapes.filter((each, index) => !shapes.slice(0, index).some((other) => areAlike(each, other)));
  const alike = entries.find((_, index) => shape !== undefined && areAlike(shapes[index], shape));
  return alike ?? (shape === undefined || distinct.length >= MOST_SHAPES ? entries[0] : undefined);
};

/** A fuzz run does not ask. */
export const recordedIn = async (corpus: string, record: RunRecord): Promise<Recorded> => {
  const recorded = new Map<string, StoredFinding[]>();
  const { kind, subject, reference } = record.campaign;
  if (kind === 'fuzz') return recorded;
  for (const stored of await earlierEntries(corpus, record)) {
    if (!isReadable(stored) || stored.status !== 'open') continue;
    if (stored.subject !== subject || stored.reference !== reference) continue;
    const signature = signatureOf(stored.divergence);
    recorded.set(signature, [...(recorded.get(signature) ?? []), stored]);
  }
  return recorded;
};

/** Whether the file of known findings excuses an open entry of the corpus. */
export const isToleratedEntry = (
  { file, signature = '' }: CorpusSummary['open'][number],
  { recorded, tolerated }: Known,
): boolean => {
  const stored = recorded.get(signature)?.find((each) => basename(each.file) === basename(file));
  return excuses(tolerated.get(signature), stored && shapeOf(stored.case.program));
};

interface CorpusContext {
  /** The directory. */
  readonly corpus: string;
  /** Of the run. */
  readonly subject: string;
  readonly recorded: Recorded;
  /** By the run. */
  readonly found: readonly Finding[];
}

/** What the replay of a corpus showed. Open entries whose findings the run made again are left out. */
export const corpusSummary = (ledger: Ledger, { corpus, subject, recorded, found }: CorpusContext): CorpusSummary => {
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
    const file = join(corpus, event.file);
    if (kind === 'open' && found.some((finding) => isMadeAgain(finding, event, recorded))) continue;
    const tested = isOfRecorded(event) ? {} : { subject };
    const named = signature === undefined ? {} : { signature };
    sorted[kind].push({ file, ...tested, ...named, reason: withoutPath(reason, file) });
  }
  return { replayed: ledger.corpus.size, ...sorted };
};

/** The finding has the signature of an open entry, and as far as can be known its shape. */
const isMadeAgain = (finding: Finding, { signature = '', file }: CorpusEvent, recorded: Recorded): boolean => {
  if (signatureOf(finding.divergence) !== signature) return false;
  const entry = recorded.get(signature)?.find((each) => basename(each.file) === file);
  const shape = settledShape(finding);
  return entry === undefined || shape === undefined || areAlike(shapeOf(entry.case.program), shape);
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
