/** How a nightly run is judged. */

import type { Ledger } from '../../properties/campaign/ledger.js';
import type { Verdict } from './summarize.js';
import { neverExercised } from './summarize.js';
import { counted, formatCount } from '../terminal/numbers.js';
import type { InvariantSummary } from '../report/document/summary-document.js';
import type { RunRecord } from './run-record.js';
import type { Triage, TriagedEntry } from './triage.js';

export interface Judged {
  readonly ledger: Ledger;
  readonly record: RunRecord;
  readonly triage: Triage;
}

export const nightlyVerdict =
  (judged: Judged, tolerated: ReadonlySet<string>): Verdict =>
  (programs, invariants, { interrupted, findings }) => {
    if (interrupted) return { kind: 'interrupted' };
    if (findings.some(({ file }) => file === undefined)) return { kind: 'unsaved' };
    const { broken, open } = judged.triage;
    const known = ({ signature = '' }: TriagedEntry): boolean => tolerated.has(signature);
    if (findings.length > 0 || broken.length > 0 || !open.every(known)) return { kind: 'divergence' };
    const doubts = doubtsOf(judged, programs, invariants);
    return doubts.length === 0 ? { kind: 'clean' } : { kind: 'inconclusive', reason: doubts.join('; ') };
  };

/** Why nobody should trust the run, even if it found something; a part of a sentence each. */
export const doubtsOf = (
  { ledger, record, triage }: Judged,
  programs: number,
  invariants: readonly InvariantSummary[],
): readonly string[] => [
  ...canaryDoubts(ledger),
  ...shardDoubts(ledger, record),
  ...programDoubts(programs, record),
  ...idleDoubts(programs, invariants),
  ...triage.unreadable.map(({ path, reason }) => `${path} cannot be read: ${reason}`),
];

const canaryDoubts = ({ canary }: Ledger): readonly string[] => {
  if (canary === undefined) return ['no canary was flown'];
  const { defect, caught, programs } = canary;
  return caught ? [] : [`the canary impl:${defect} was not caught in ${counted(programs, 'program')}`];
};

/** A merged campaign lacks what its shards did not bring. */
const shardDoubts = ({ shards }: Ledger, { kind, campaign, parts }: RunRecord): readonly string[] => {
  const expected =
    kind === 'merged' ? Array.from({ length: campaign.shards }, (_, index) => index) : parts.map(({ shard }) => shard);
  const name = (index: number): string => (campaign.shards === 1 ? 'the run' : `shard ${index} of ${campaign.shards}`);
  const missing = expected.filter((index) => !shards.has(index)).map((index) => `${name(index)} is missing`);
  const torn = expected
    .filter((index) => shards.get(index)?.ended === false)
    .map((index) => `${name(index)} did not come to its end`);
  return [...missing, ...torn];
};

/** A shard does its share. */
const programDoubts = (programs: number, { kind, campaign }: RunRecord): readonly string[] => {
  const fewest = kind === 'merged' ? campaign.minPrograms : Math.ceil(campaign.minPrograms / campaign.shards);
  if (programs >= fewest) return [];
  return [`${counted(programs, 'program')} ran, and --min-programs asks for ${formatCount(fewest)}; run longer`];
};

const idleDoubts = (programs: number, invariants: readonly InvariantSummary[]): readonly string[] => {
  const idle = neverExercised(invariants);
  if (idle.length === 0) return [];
  return [`never exercised in ${counted(programs, 'program')}: ${idle.join(', ')}`];
};
