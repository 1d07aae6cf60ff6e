/** From the ledger of a run to its summary and verdict. */

import { MACHINE_BOUNDS } from '../../model/vocabulary/index.js';
import type { FirstReached, Ledger } from '../../properties/campaign/ledger.js';
import { rarityOf } from '../../properties/campaign/residual-risk.js';
import { signatureOf } from '../../properties/divergence.js';
import type { Finding } from '../../properties/finding.js';
import { isFlaky } from '../../properties/finding.js';
import { askingOf } from '../../properties/invariants/asking.js';
import { whyOutOfReach } from '../../properties/invariants/situations/out-of-reach.js';
import type { TiedFinding } from '../../properties/known-findings.js';
import { isExpired } from '../../properties/known-findings.js';
import { describeShape, shapeOf } from '../../properties/namesakes.js';
import { CellNumbers } from '../../properties/campaign/cells.js';
import { capabilitiesOfMachine, versionOne } from '../../properties/subjects/capabilities.js';
import type { Scope } from '../../properties/subjects/scope.js';
import { scopeBetween } from '../../properties/subjects/scope.js';
import { ownMachine } from '../../properties/subjects/subject-names.js';
import type { Tally } from '../../properties/tally.js';
import type {
  AccessCounts,
  CorpusSummary,
  DiscoveryPoint,
  EdgesSummary,
  FindingSummary,
  InvariantSummary,
  KnownSummary,
  Summary,
  SummaryTime,
  SummaryVerdict,
} from '../report/document/summary-document.js';
import { ENOUGH_PROGRAMS } from '../report/document/report-verdict.js';
import { SUMMARY_FORMAT } from '../report/document/summary-document.js';
import type { ExitCode } from '../terminal/exit-codes.js';
import { EXIT } from '../terminal/exit-codes.js';
import { counted, formatCount } from '../terminal/numbers.js';
import { packageVersion } from '../own-package.js';
import { pagingOf } from './campaign-plan.js';
import type { CampaignRecord, RunRecord } from './run-directory.js';
import { RUN_FILE, edgesOf, invariantsOf } from './run-directory.js';
import { toleratedOn } from './tolerance.js';
import type { Known, Recorded } from './triage.js';
import { isToleratedEntry } from './triage.js';

/** What a summary says beside the ledger's counts. */
export interface RunResults {
  readonly record: RunRecord;
  readonly interrupted: boolean;
  /** Why the run could not do all of its tasks, if so; a clause. */
  readonly shortcoming: string | undefined;
  readonly ended: Date;
  /** The findings that stand for each signature, triaged and, unless they are tolerated, stored. */
  readonly findings: readonly Finding[];
  /** Those of known signatures, and further ones, that shrinking had no time for. */
  readonly further: readonly Finding[];
  readonly known: readonly TiedFinding[];
  readonly recorded: Recorded;
  /** Null for a run that replayed none. */
  readonly corpus: CorpusSummary | null;
  /** What could not be saved. */
  readonly troubles: readonly string[];
}

export const summarize = (ledger: Ledger, results: RunResults): Summary => {
  const { record, findings, known, recorded, corpus, troubles, interrupted, shortcoming } = results;
  const { campaign } = record;
  const tally = ledger.tally();
  const { programs } = ledger;
  const reported = findings.filter(({ triage }) => triage !== 'tolerated');
  const time = timeOf(ledger, results, tally);
  const edges = edgesReached(campaign, ledger.firstReached);
  const invariants = invariantSummaries(results, tally, reported, edges?.byInvariant);
  const doubts = [...(shortcoming === undefined ? [] : [shortcoming]), ...doubtsOf(ledger, record, invariants, corpus)];
  const tolerated = toleratedOn(new Date(time.started), known);
  const verdict = verdictOf({ interrupted, reported, corpus, known: { recorded, tolerated }, doubts });
  return {
    format: SUMMARY_FORMAT,
    kind: campaign.kind,
    version: packageVersion(),
    seed: campaign.seed,
    subject: campaign.subject,
    reference: campaign.reference,
    ...(campaign.profile === undefined ? {} : { profile: campaign.profile }),
    ...(campaign.scope?.features === undefined ? {} : { features: campaign.scope.features }),
    paging: pagingOf(campaign),
    traffic: campaign.traffic,
    maxSteps: campaign.maxSteps,
    caseTimeout: campaign.caseTimeout,
    maxFindings: campaign.maxFindings,
    time,
    programs,
    judged: tally.judged,
    steps: tally.steps,
    diedEarly: tally.diedEarly,
    accesses: accessesOf(tally),
    shadow: { hits: tally.hits, misses: tally.misses },
    pgdirCache: { hits: tally.cacheHits, misses: tally.cacheMisses },
    ...(edges === undefined ? {} : { edges: edges.all }),
    discovery: discoveryOf(campaign, ledger),
    invariants,
    findings: reported.map(findingSummary),
    known: knownSummaries(known, ledger, reported, time.started),
    ...notLookedAt(results.further),
    canary: canaryOf(ledger),
    corpus,
    retries: ledger.retries.size,
    troubles,
    doubts,
    verdict,
    exitCode: exitCodeOf(verdict),
  };
};

/** Shards ran side by side: the longest time is that of all. */
const timeOf = (ledger: Ledger, { record, ended }: RunResults, { steps }: Tally): SummaryTime => {
  const started = record.parts.map((part) => part.started).toSorted()[0];
  const milliseconds = Math.max(0, ...[...ledger.shards.values()].map(({ elapsed }) => elapsed));
  const perSecond = (count: number): number => (milliseconds <= 0 ? 0 : Math.round((count / milliseconds) * 1000));
  return {
    started,
    ended: ended.toISOString(),
    milliseconds,
    programsPerSecond: perSecond(ledger.programs),
    stepsPerSecond: perSecond(steps),
  };
};

const accessesOf = (tally: Tally): AccessCounts => {
  const mapped = tally.outcomesOf('access', 'mapped');
  const fault = tally.outcomesOf('access', 'fault');
  const mmio = tally.outcomesOf('access', 'mmio');
  const killed = tally.outcomesOf('access', 'killed');
  const broken = tally.outcomesOf('access', 'stuck') + tally.outcomesOf('access', 'host-bug');
  return { total: mapped + fault + mmio + killed + broken, mapped, fault, mmio, killed, broken };
};

const invariantSummaries = (
  { record }: RunResults,
  { checks, exercised, situations }: Tally,
  findings: readonly Finding[],
  edges: ArrayLike<number> | undefined,
): readonly InvariantSummary[] => {
  const scope = scopeOfRecord(record.campaign);
  return invariantsOf(record.campaign).map((invariant, index) => {
    const asking = askingOf(invariant, scope, record.campaign.traffic);
    return {
      id: invariant.id,
      ...asking,
      checks: checks[index],
      exercised: exercised[index],
      situations: rarityOf(situations[index], (grid, cell) => whyOutOfReach(grid, cell, asking, scope) === undefined),
      ...(edges === undefined ? {} : { edges: edges[index] }),
      findings: findings
        .filter(({ divergence }) => divergence.invariant === invariant.id)
        .reduce((sum, { count = 0 }) => sum + count, 0),
    };
  });
};

interface EdgesReached {
  readonly all: EdgesSummary;
  /** Those that programs reached in which each invariant was exercised. */
  readonly byInvariant: ArrayLike<number>;
}

/** Undefined for a subject that counts no edges. */
const edgesReached = (campaign: CampaignRecord, firstReached: FirstReached): EdgesReached | undefined => {
  const total = edgesOf(campaign);
  if (total === 0) return undefined;
  const invariants = invariantsOf(campaign);
  const numbers = new CellNumbers(invariants, total);
  const byRow = new Uint32Array(1 + invariants.length);
  const firsts: number[] = [];
  for (const [cell, programs] of firstReached.entries()) {
    const row = numbers.rowOf(cell);
    if (row === undefined) continue;
    byRow[row]++;
    if (row === 0) firsts.push(programs[0]);
  }
  const last = firsts.length === 0 ? null : firsts.reduce((latest, first) => Math.max(latest, first));
  const { reached, once, twice } = firstReached.edges();
  return { all: { total, reached, once, twice, last }, byInvariant: byRow.subarray(1) };
};

/** More points than this would not show in a plot. */
const MOST_POINTS = 100;

const discoveryOf = (campaign: CampaignRecord, ledger: Ledger): readonly DiscoveryPoint[] => {
  // Of a campaign's programs only those of the shards that are here ran.
  const share = ledger.shards.size / campaign.shards;
  const numbers = new CellNumbers(invariantsOf(campaign), edgesOf(campaign));
  const found = ledger.firstReached.list().map(({ program, cells }) => {
    const programs = Math.min(ledger.programs, Math.ceil((program + 1) * share));
    return { programs, fresh: cells.filter((cell) => numbers.rowOf(cell) === undefined).length };
  });
  let situations = 0;
  const points = [{ programs: 0, situations }];
  for (const { programs, fresh } of found) {
    situations += fresh;
    if (fresh > 0) points.push({ programs, situations });
  }
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, index) => (points.length - 1 - index) % every === 0);
};

/** As recorded; machines of this package do everything, and show what machines like them do. */
export const scopeOfRecord = ({ scope, profile = 'lguest', subject, reference }: CampaignRecord): Scope => {
  const { most: guestPages } = MACHINE_BOUNDS.guestPages;
  if (scope !== undefined) return { profile, guestPages, features: [], ...scope };
  const [one, other] = [subject, reference].map((name) => {
    const machine = ownMachine(name, RUN_FILE)?.create();
    return { machine, able: machine === undefined ? versionOne(name) : capabilitiesOfMachine(name, machine) };
  });
  return scopeBetween(one, other, profile);
};

const findingSummary = (finding: Finding): FindingSummary => {
  const { case: found, before, divergence, provenance, shrunk, shown, count, triage, namesake, file, replay } = finding;
  return {
    signature: signatureOf(divergence),
    status: triage!,
    count: count!,
    program: provenance.program,
    originalSteps: provenance.originalSteps,
    steps: found.program.steps.length,
    traffic: found.traffic,
    ...(namesake === undefined ? {} : { namesake: describeShape(shapeOf(found.program)) }),
    ...(shrunk === undefined ? {} : { shrunk }),
    ...(shown === undefined ? {} : { shown }),
    ...(before === undefined ? {} : { programsBefore: before.length }),
    ...(file === undefined ? {} : { file }),
    replay: replay!,
  };
};

/** `started`: ISO 8601, UTC. */
const knownSummaries = (
  known: readonly TiedFinding[],
  ledger: Ledger,
  reported: readonly Finding[],
  started: string,
): readonly KnownSummary[] => {
  const counts = ledger.signatures();
  const apart = (signature: string): number =>
    reported
      .filter(({ namesake, divergence }) => namesake && signatureOf(divergence) === signature)
      .reduce((sum, { count = 0 }) => sum + count, 0);
  return known.map(({ entry }) => ({
    ...entry,
    expired: isExpired(entry, started.slice(0, 10)),
    count: (counts.get(entry.signature) ?? 0) - apart(entry.signature),
  }));
};

const notLookedAt = (further: readonly Finding[]): Pick<Summary, 'notLookedAt'> => {
  const counts = new Map<string, number>();
  for (const { divergence } of further)
    counts.set(signatureOf(divergence), (counts.get(signatureOf(divergence)) ?? 0) + 1);
  if (counts.size === 0) return {};
  return { notLookedAt: [...counts].map(([signature, count]) => ({ signature, count })) };
};

const canaryOf = ({ canary }: Ledger): Summary['canary'] => {
  if (canary === undefined) return null;
  const { defect, caught, programs } = canary;
  return { defect, caught, programs };
};

// Verdict.

interface Judged {
  readonly interrupted: boolean;
  readonly reported: readonly Finding[];
  readonly corpus: CorpusSummary | null;
  readonly known: Known;
  readonly doubts: readonly string[];
}

const verdictOf = ({ interrupted, reported, corpus, known, doubts }: Judged): SummaryVerdict => {
  if (interrupted) return { kind: 'interrupted' };
  if (reported.some((finding) => finding.file === undefined && !isFlaky(finding))) return { kind: 'unsaved' };
  const { open = [], broken = [] } = corpus ?? {};
  if (reported.length > 0 || broken.length > 0 || !open.every((entry) => isToleratedEntry(entry, known))) {
    return { kind: 'divergence' };
  }
  return doubts.length === 0 ? { kind: 'clean' } : { kind: 'inconclusive', reason: doubts.join('; ') };
};

/** Why the run proves little, even if it found something; a clause each. */
const doubtsOf = (
  ledger: Ledger,
  record: RunRecord,
  invariants: readonly InvariantSummary[],
  corpus: CorpusSummary | null,
): readonly string[] => {
  const { programs } = ledger;
  const { judged } = ledger.tally();
  if (record.campaign.kind === 'fuzz') {
    if (programs === 0) return ['no program was run; give more --time'];
    if (everyProgramTimedOut(ledger)) return [FLUSH_DOUBT];
    const idle = judged < ENOUGH_PROGRAMS ? [] : idleDoubts(judged, programs, invariants);
    return [
      ...programDoubts(ledger, record),
      ...idle.map((doubt) => `${doubt}; run longer, or loosen --traffic, --paging or --max-steps`),
    ];
  }
  return [
    ...(programs > 0 && everyProgramTimedOut(ledger) ? [FLUSH_DOUBT] : []),
    ...canaryDoubts(ledger),
    ...shardDoubts(ledger, record),
    ...programDoubts(ledger, record),
    ...idleDoubts(judged, programs, invariants),
    ...notRunDoubts(corpus),
    ...(corpus?.unreadable ?? []).map(({ file, reason }) => `${file} cannot be read: ${reason}`),
  ];
};

const everyProgramTimedOut = (ledger: Ledger): boolean =>
  [...ledger.signatures()].some(
    ([signature, count]) => signature.startsWith('subject-timeout') && count === ledger.programs,
  );

const FLUSH_DOUBT = 'every program timed out; the usual cause is a subject that does not flush its answers';

const canaryDoubts = ({ canary }: Ledger): readonly string[] => {
  if (canary === undefined) return ['no canary was flown'];
  const { defect, caught, programs } = canary;
  return caught ? [] : [`the canary impl:${defect} was not caught in ${counted(programs, 'program')}`];
};

/** A merged campaign lacks the shards that were not given, and what those that were cut off did not do. */
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

/** A shard does its share. A run that ends at its limit of findings need not do more. */
const programDoubts = ({ programs, findings }: Ledger, { kind, campaign }: RunRecord): readonly string[] => {
  const { maxFindings } = campaign;
  if (maxFindings !== null && findings.size >= maxFindings) return [];
  const fewest = kind === 'merged' ? campaign.minPrograms : Math.ceil(campaign.minPrograms / campaign.shards);
  if (programs >= fewest) return [];
  return [`${counted(programs, 'program')} ran, and --min-programs asks for ${formatCount(fewest)}; run longer`];
};

const idleDoubts = (judged: number, programs: number, invariants: readonly InvariantSummary[]): readonly string[] => {
  const idle = invariants.filter(({ asked, exercised }) => asked !== 'not' && exercised === 0).map(({ id }) => id);
  if (idle.length === 0) return [];
  const where = counted(judged, judged === programs ? 'program' : 'judged program');
  return [`never exercised in ${where}: ${idle.join(', ')}`];
};

const notRunDoubts = (corpus: CorpusSummary | null): readonly string[] => {
  const notRun = corpus?.notRun.length ?? 0;
  return notRun === 0 ? [] : [`not run without --allow-exec: ${counted(notRun, 'entry', 'entries')} of the corpus`];
};

const exitCodeOf = ({ kind }: SummaryVerdict): ExitCode => {
  switch (kind) {
    case 'clean':
      return EXIT.clean;
    case 'divergence':
      return EXIT.divergence;
    case 'inconclusive':
      return EXIT.inconclusive;
    case 'interrupted':
      return EXIT.interrupted;
    case 'unsaved':
      return EXIT.badInput;
    default:
      return kind satisfies never;
  }
};
