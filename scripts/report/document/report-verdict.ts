/** Whether to worry, in one line. */

import { counted } from '../../terminal/numbers.js';
import type { SummaryVerdict } from './summary-document.js';
import type { FindingReport, InvariantReport, MatrixRowReport, RunReport, Worry } from './report-document.js';

interface Evidence {
  readonly runs: readonly RunReport[];
  /** Of the fuzz runs among them. */
  readonly verdicts: readonly SummaryVerdict[];
  readonly findings: readonly FindingReport[];
  readonly invariants: readonly InvariantReport[];
  readonly matrix: readonly MatrixRowReport[];
}

const MOST_NAMED = 3;

export const worryAbout = ({ runs, verdicts, findings, invariants, matrix }: Evidence): Worry => {
  if (findings.length > 0) return { level: 'worry', sentence: `Worry: ${foundText(findings)}.` };
  if (verdicts.some(({ kind }) => kind === 'divergence')) {
    return { level: 'worry', sentence: 'Worry: nothing new was found, but the replay of the corpus failed.' };
  }
  const programs = runs.reduce((sum, run) => sum + run.programs, 0);
  if (programs === 0) return { level: 'cannot-tell', sentence: 'Cannot tell: no program was run.' };
  const idle = invariants.filter(({ state }) => state === 'idle').map(({ id }) => id);
  if (idle.length > 0) return { level: 'cannot-tell', sentence: `Cannot tell: ${idleText(idle)}.` };
  const missed = matrix.filter(({ seedsCaught }) => seedsCaught === 0).map(({ defect }) => defect);
  if (missed.length > 0) {
    const sentence = `Cannot tell: ${counted(missed.length, 'planted bug')} went unnoticed (${namedText(missed)}).`;
    return { level: 'cannot-tell', sentence };
  }
  // One run that can be trusted is enough.
  const doubts = verdicts.flatMap((verdict) => (verdict.kind === 'inconclusive' ? [verdict.reason] : []));
  if (doubts.length > 0 && doubts.length === verdicts.length) {
    return { level: 'cannot-tell', sentence: `Cannot tell: ${doubts[0]}.` };
  }
  const scope = invariants.some(({ state }) => state === 'not-applicable')
    ? 'every invariant that applies'
    : 'every invariant';
  return { level: 'no', sentence: `No: ${roundCount(programs)}, ${scope} exercised, nothing found.` };
};

const foundText = (findings: readonly FindingReport[]): string => {
  const text = counted(findings.length, 'new finding');
  const host = findings.filter(({ harms }) => harms === 'host').length;
  if (host === 0)
    return `${text}; ${findings.length === 1 ? 'it breaks no' : 'none breaks a'} rule that guards the host`;
  if (findings.length === 1) return `${text}, which can harm the host`;
  return `${text}, ${host === findings.length ? 'all' : host === 1 ? 'one' : host} of which can harm the host`;
};

const idleText = (idle: readonly string[]): string =>
  idle.length === 1
    ? `invariant ${idle[0]} was never exercised`
    : `${idle.length} invariants were never exercised (${namedText(idle)})`;

const namedText = (names: readonly string[]): string => {
  const more = names.length - MOST_NAMED;
  return names.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
};

const MILLION = 1_000_000;

/** `1.2 million programs`, `5,000 programs`. */
const roundCount = (programs: number): string =>
  programs < MILLION ? counted(programs, 'program') : `${(programs / MILLION).toFixed(1)} million programs`;
