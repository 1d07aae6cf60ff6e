/** Known findings of a run: read before it, and reckoned up behind it. */

import type { KnownFinding } from '../../properties/known-findings.js';
import { isExpired, parseKnownFindings } from '../../properties/known-findings.js';
import { readTextFile } from '../../properties/corpus/store.js';
import type { FuzzResult } from '../../properties/fuzz.js';
import type { KnownSummary } from '../report/document/summary-document.js';

/** Reads the file of `--known`, if there is one. Throws `BadInput`. */
export const readKnown = async (path: string | undefined): Promise<readonly KnownFinding[]> =>
  path === undefined ? [] : parseKnownFindings(await readTextFile(path), path);

/** Signatures that do not fail a run on this day; an expired one is a finding like any other. */
export const tolerated = (known: readonly KnownFinding[], today: Date): ReadonlySet<string> =>
  new Set(known.filter((each) => !isExpired(each, dayOf(today.toISOString()))).map(({ signature }) => signature));

export const knownSummaries = (
  known: readonly KnownFinding[],
  { known: counts, findings }: FuzzResult,
  /** ISO 8601, UTC. */
  started: string,
): readonly KnownSummary[] =>
  known.map(({ signature, reason, owner, expires }) => {
    const found = findings.find((finding) => finding.signature === signature);
    return {
      signature,
      reason,
      owner,
      expires,
      expired: isExpired({ signature, reason, owner, expires }, dayOf(started)),
      count: counts.get(signature) ?? found?.count ?? 0,
    };
  });

const dayOf = (time: string): string => time.slice(0, 10);
