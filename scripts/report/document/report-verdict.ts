/** The verdict over all runs, in one line. */

import type { Asking } from '../../../properties/invariants/asking.js';
import { counted, formatCount, judgedText } from '../../terminal/numbers.js';
import type { FindingReport, InvariantReport, MatrixRowReport, ReportVerdict, RunReport } from './report-document.js';
import type { Summary } from './summary-document.js';

interface Evidence {
  readonly runs: readonly RunReport[];
  /** Those of the fuzz and nightly runs among them. */
  readonly summaries: readonly Summary[];
  readonly findings: readonly FindingReport[];
  readonly invariants: readonly InvariantReport[];
  readonly matrix: readonly MatrixRowReport[];
}

/** After fewer programs that were judged it is no surprise that an invariant was not exercised. */
export const ENOUGH_PROGRAMS = 2000;
const MOST_NAMED = 3;

export const reportVerdict = (evidence: Evidence): ReportVerdict => {
  const { runs, summaries, findings } = evidence;
  const kinds = new Set(summaries.map(({ verdict }) => verdict.kind));
  if (kinds.has('unsaved')) return { kind: 'unsaved', reason: foundText(evidence) };
  if (kinds.has('divergence') || (findings.length > 0 && !isOnly(kinds, 'interrupted'))) {
    return { kind: 'divergence', reason: foundText(evidence) };
  }
  if (isOnly(kinds, 'interrupted') && runs.length === summaries.length) {
    return { kind: 'interrupted', reason: foundText(evidence) };
  }
  const doubt = doubtOf(evidence);
  return doubt === undefined ? { kind: 'clean', reason: cleanText(evidence) } : { kind: 'inconclusive', reason: doubt };
};

/** `Divergence: 2 kinds of finding in 40 programs.` */
export const verdictSentence = ({ kind, reason }: ReportVerdict): string => `${VERDICT_WORDS[kind]}: ${reason}.`;

const VERDICT_WORDS: Readonly<Record<ReportVerdict['kind'], string>> = {
  divergence: 'Divergence',
  unsaved: 'Divergence, not saved',
  clean: 'Clean',
  inconclusive: 'Inconclusive',
  interrupted: 'Interrupted',
};

const isOnly = <Member>(members: ReadonlySet<Member>, member: Member): boolean =>
  members.size === 1 && members.has(member);

/** Why the runs prove little; undefined if they prove something. One conclusive run is enough. */
const doubtOf = ({ runs, summaries, invariants, matrix }: Evidence): string | undefined => {
  const verdicts = summaries.map(({ verdict }) => verdict);
  const reasons = verdicts.flatMap((verdict) => (verdict.kind === 'inconclusive' ? [verdict.reason] : []));
  if (reasons.length > 0 && reasons.length === verdicts.length) return [...new Set(reasons)].join('; ');
  if (programsOf(runs) === 0) return 'no program was run';
  if (runs.some(({ verdict }) => verdict === 'diverged')) {
    return 'in the run of coverage the sides diverged, which fuzz makes findings of';
  }
  const unexercised = invariants.filter(({ state }) => state === 'unexercised').map(({ id }) => id);
  const isExpected = judgedOf(runs) < ENOUGH_PROGRAMS && verdicts.some(({ kind }) => kind === 'clean');
  if (unexercised.length > 0 && !isExpected) return unexercisedText(unexercised);
  const missed = matrix.filter(({ seedsCaught }) => seedsCaught === 0).map(({ defect }) => defect);
  return missed.length === 0
    ? undefined
    : `${counted(missed.length, 'planted bug')} went unnoticed (${namedText(missed)})`;
};

const unexercisedText = (ids: readonly string[]): string =>
  ids.length === 1
    ? `invariant ${ids[0]} was never exercised`
    : `${ids.length} invariants were never exercised (${namedText(ids)})`;

const namedText = (names: readonly string[]): string => {
  const more = names.length - MOST_NAMED;
  return names.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
};

const cleanText = ({ runs, invariants }: Evidence): string => {
  const subjects = [...new Set(runs.map(({ subject }) => subject))];
  const references = [...new Set(runs.map(({ reference }) => reference))].join(', ');
  const agreement = `${subjects.join(', ')} ${subjects.length === 1 ? 'agrees' : 'agree'} with ${references} in ${programsText(runs)}`;
  const notAsked = notAskedText(invariants);
  if (notAsked !== undefined) return `${agreement}, but ${notAsked}`;
  return invariants.some(({ state }) => state === 'unexercised')
    ? agreement
    : `${agreement}; every invariant was exercised`;
};

/** `6 of 18 invariants were not asked, 3 only in part: the subject shows no shadow tables`; undefined if all were asked fully. */
export const notAskedText = (invariants: readonly Asking[]): string | undefined => {
  const [no, part] = (['not', 'partly'] as const).map((extent) => invariants.filter(({ asked }) => asked === extent));
  const total = counted(invariants.length, 'invariant');
  const were = (asked: readonly Asking[]): string => (asked.length === 1 ? 'was' : 'were');
  const reasons = [...new Set([...no, ...part].flatMap(({ because }) => because))].join('; ');
  if (no.length > 0) {
    const inPart = part.length === 0 ? '' : `, ${part.length} only in part`;
    return `${no.length} of ${total} ${were(no)} not asked${inPart}: ${reasons}`;
  }
  return part.length === 0 ? undefined : `${part.length} of ${total} ${were(part)} asked only in part: ${reasons}`;
};

const foundText = ({ runs, summaries, findings }: Evidence): string => {
  const limited = summaries.find((each) => each.maxFindings !== null && each.findings.length >= each.maxFindings);
  const stopped = limited === undefined ? '' : ` (stopped by --max-findings ${limited.maxFindings})`;
  const broken = summaries.reduce((sum, { corpus }) => sum + (corpus?.broken.length ?? 0), 0);
  const wrong = broken === 0 ? '' : `; ${counted(broken, 'entry', 'entries')} of the corpus wrong`;
  const open = summaries.reduce((sum, { corpus }) => sum + (corpus?.open.length ?? 0), 0);
  const known = open === 0 ? '' : `; ${counted(open, 'entry', 'entries')} of the corpus still open`;
  return `${counted(findings.length, 'kind')} of finding${newText(findings)} in ${programsText(runs)}${impactText(findings)}${stopped}${wrong}${known}`;
};

const newText = (findings: readonly FindingReport[]): string => {
  const fresh = findings.filter(({ status }) => status === 'new').length;
  const flaky = findings.filter(({ status }) => status === 'flaky').length;
  const besides = flaky === 0 ? '' : `, ${formatCount(flaky)} flaky`;
  return fresh === findings.length ? '' : ` (${fresh === 0 ? 'none' : formatCount(fresh)} new${besides})`;
};

const impactText = (findings: readonly FindingReport[]): string => {
  const host = findings.filter(({ impact }) => impact === 'host').length;
  if (host === 0) return '';
  if (findings.length === 1) return ', which can harm the host';
  return `, ${host === findings.length ? 'all' : host === 1 ? 'one' : formatCount(host)} of which can harm the host`;
};

const programsOf = (runs: readonly RunReport[]): number => runs.reduce((sum, { programs }) => sum + programs, 0);

const judgedOf = (runs: readonly RunReport[]): number => runs.reduce((sum, { judged }) => sum + judged, 0);

const MILLION = 1_000_000;

/** `1.2 million programs, 150,000 of them judged in full`, `5,000 programs`. */
const programsText = (runs: readonly RunReport[]): string => {
  const programs = programsOf(runs);
  const text =
    programs < MILLION ? counted(programs, 'program') : `${(programs / MILLION).toFixed(1)} million programs`;
  return `${text}${judgedText(judgedOf(runs), programs)}`;
};
