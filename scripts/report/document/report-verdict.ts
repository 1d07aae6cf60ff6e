/** The verdict over all runs, in one line. */

import { counted } from '../../terminal/numbers.js';
import type { FindingReport, InvariantReport, MatrixRowReport, ReportVerdict, RunReport } from './report-document.js';
import type { SummaryVerdict } from './summary-document.js';

interface Evidence {
  readonly runs: readonly RunReport[];
  /** Those of the fuzz runs among them. */
  readonly verdicts: readonly SummaryVerdict[];
  readonly findings: readonly FindingReport[];
  readonly invariants: readonly InvariantReport[];
  readonly matrix: readonly MatrixRowReport[];
}

const MOST_NAMED = 3;

export const reportVerdict = ({ runs, verdicts, findings, invariants, matrix }: Evidence): ReportVerdict => {
  if (findings.length > 0) return divergence(foundText(findings));
  if (verdicts.some(({ kind }) => kind === 'divergence')) {
    return divergence('nothing new was found, but the replay of the corpus failed');
  }
  const programs = runs.reduce((sum, run) => sum + run.programs, 0);
  if (programs === 0) return inconclusive('no program was run');
  const unexercised = invariants.filter(({ state }) => state === 'unexercised').map(({ id }) => id);
  if (unexercised.length > 0) return inconclusive(unexercisedText(unexercised));
  const missed = matrix.filter(({ seedsCaught }) => seedsCaught === 0).map(({ defect }) => defect);
  if (missed.length > 0) {
    return inconclusive(`${counted(missed.length, 'planted bug')} went unnoticed (${namedText(missed)})`);
  }
  // One conclusive run is enough.
  const doubts = verdicts.flatMap((verdict) => (verdict.kind === 'inconclusive' ? [verdict.reason] : []));
  if (doubts.length > 0 && doubts.length === verdicts.length) return inconclusive(doubts[0]);
  const scope = invariants.some(({ state }) => state === 'not-applicable')
    ? 'every invariant that applies'
    : 'every invariant';
  return { kind: 'clean', sentence: `Clean: ${roundCount(programs)}, ${scope} exercised, nothing found.` };
};

const divergence = (reason: string): ReportVerdict => ({ kind: 'divergence', sentence: `Divergence: ${reason}.` });

const inconclusive = (reason: string): ReportVerdict => ({
  kind: 'inconclusive',
  sentence: `Inconclusive: ${reason}.`,
});

const foundText = (findings: readonly FindingReport[]): string => {
  const text = counted(findings.length, 'new finding');
  const host = findings.filter(({ impact }) => impact === 'host').length;
  if (host === 0) return `${text}; no rule that protects the host is broken`;
  if (findings.length === 1) return `${text}, which can harm the host`;
  return `${text}, ${host === findings.length ? 'all' : host === 1 ? 'one' : host} of which can harm the host`;
};

const unexercisedText = (ids: readonly string[]): string =>
  ids.length === 1
    ? `invariant ${ids[0]} was never exercised`
    : `${ids.length} invariants were never exercised (${namedText(ids)})`;

const namedText = (names: readonly string[]): string => {
  const more = names.length - MOST_NAMED;
  return names.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
};

const MILLION = 1_000_000;

/** `1.2 million programs`, `5,000 programs`. */
const roundCount = (programs: number): string =>
  programs < MILLION ? counted(programs, 'program') : `${(programs / MILLION).toFixed(1)} million programs`;
