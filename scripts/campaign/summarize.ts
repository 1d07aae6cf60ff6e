/** From the counters of a run to its summary. */

import type { FuzzResult } from '../../properties/fuzz.js';
import type { Tally } from '../../properties/tally.js';
import type { ExitCode } from '../terminal/exit-codes.js';
import { EXIT } from '../terminal/exit-codes.js';
import type {
  AccessCounts,
  FindingSummary,
  InvariantSummary,
  Summary,
  SummaryTime,
  SummaryVerdict,
} from '../report/document/summary-document.js';
import { SUMMARY_FORMAT } from '../report/document/summary-document.js';
import { formatCount } from '../terminal/numbers.js';
import { packageVersion } from '../own-package.js';
import { applies } from './applicable.js';
import { knownSummaries } from './known.js';
import type { Plan } from './plan.js';

/** After fewer programs it is no surprise that something was not exercised. */
const ENOUGH_PROGRAMS = 2000;

/** How a run ended, beside what it counted. */
export interface Ending {
  readonly interrupted: boolean;
  /** Findings in the order of the result's. */
  readonly findings: readonly FindingSummary[];
  readonly time: Pick<SummaryTime, 'started' | 'ended' | 'milliseconds'>;
}

/** How a run is judged. */
export type Verdict = (programs: number, invariants: readonly InvariantSummary[], ending: Ending) => SummaryVerdict;

export const summarize = (
  { options, known }: Pick<Plan, 'options' | 'known'>,
  result: FuzzResult,
  ending: Ending,
  verdictOf: Verdict = usualVerdict,
): Summary => {
  const { programs, tally, findings } = result;
  const invariants = invariantsOf(options, tally, findings);
  const verdict = verdictOf(programs, invariants, ending);
  return {
    format: SUMMARY_FORMAT,
    version: packageVersion(),
    seed: options.campaign,
    subject: options.subject.name,
    reference: options.reference.name,
    paging: options.paging,
    traffic: options.traffic,
    maxSteps: options.mostSteps,
    maxFindings: options.mostFindings,
    time: timeOf(ending, result),
    programs,
    steps: tally.steps,
    diedEarly: tally.diedEarly,
    accesses: accessesOf(tally),
    shadow: { hits: tally.hits, misses: tally.misses },
    pgdirCache: { hits: tally.cacheHits, misses: tally.cacheMisses },
    invariants,
    findings: ending.findings,
    known: knownSummaries(known, result, ending.time.started),
    verdict,
    exitCode: exitCodeOf(verdict),
  };
};

const timeOf = ({ time }: Ending, { programs, tally }: FuzzResult): SummaryTime => {
  const perSecond = (count: number): number =>
    time.milliseconds <= 0 ? 0 : Math.round((count / time.milliseconds) * 1000);
  return { ...time, programsPerSecond: perSecond(programs), stepsPerSecond: perSecond(tally.steps) };
};

const accessesOf = (tally: Tally): AccessCounts => {
  const mapped = tally.outcomesOf('access', 'mapped');
  const fault = tally.outcomesOf('access', 'fault');
  const mmio = tally.outcomesOf('access', 'mmio');
  const killed = tally.outcomesOf('access', 'killed');
  const broken = tally.outcomesOf('access', 'stuck') + tally.outcomesOf('access', 'host-bug');
  return { total: mapped + fault + mmio + killed + broken, mapped, fault, mmio, killed, broken };
};

const invariantsOf = (
  options: Plan['options'],
  { checks, exercised }: Tally,
  findings: FuzzResult['findings'],
): readonly InvariantSummary[] =>
  options.invariants.map((invariant, index) => ({
    id: invariant.id,
    applies: applies(invariant, options),
    checks: checks[index],
    exercised: exercised[index],
    findings: findings
      .filter(({ divergence }) => divergence.invariant === invariant.id)
      .reduce((sum, { count }) => sum + count, 0),
  }));

const usualVerdict: Verdict = (programs, invariants, { interrupted, findings }) => {
  if (interrupted) return { kind: 'interrupted' };
  if (findings.some(({ file }) => file === undefined)) return { kind: 'unsaved' };
  if (findings.length > 0) return { kind: 'divergence' };
  if (programs === 0) return { kind: 'inconclusive', reason: 'no program was run; give more --time' };
  const idle = neverExercised(invariants);
  if (programs < ENOUGH_PROGRAMS || idle.length === 0) return { kind: 'clean' };
  const never = `never exercised in ${formatCount(programs)} programs: ${idle.join(', ')}`;
  return { kind: 'inconclusive', reason: `${never}; run longer, or loosen --traffic, --paging or --max-steps` };
};

/** Invariants that a run could have exercised, and did not. */
export const neverExercised = (invariants: readonly InvariantSummary[]): readonly string[] =>
  invariants.filter((each) => each.applies && each.exercised === 0).map(({ id }) => id);

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
