/** What a nightly run tells at its end: what is new, known, flaky and fixed, with the command for each, and whether to trust it. */

import type { Ledger } from '../../properties/campaign/ledger.js';
import { RERUNS } from '../../properties/campaign/occurrence.js';
import { labelled, wrapped } from '../terminal/labelled.js';
import { counted, formatCount } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { FindingSummary } from '../report/document/summary-document.js';
import { countReport } from '../report/summary-text.js';
import type { Session } from '../terminal/session.js';
import type { Publication } from './publish.js';
import type { RunRecord } from './run-record.js';
import type { KeptPrograms } from './seed-keeping.js';
import type { Status, Triage, TriagedEntry, TriagedFinding } from './triage.js';
import { doubtsOf } from './verdict.js';

/** So many different things are told of the corpus. */
const MOST_REASONS = 10;

export const nightlyReport = (
  { summary, triage, troubles, seeds }: Publication,
  { ledger, record, directory }: { readonly ledger: Ledger; readonly record: RunRecord; readonly directory: string },
  session: Session,
): readonly string[] => [
  ...countReport(summary, session),
  ...canaryLines(ledger, session),
  ...corpusLines(ledger, triage, session),
  ...poolLines(seeds, session),
  ...accidentLines(ledger, session),
  '',
  ...STATUSES.flatMap((status) => findingLines(status, triage, summary.findings, session)),
  ...entryLines('known', triage.open, session),
  ...entryLines('corpus', triage.broken, session),
  ...entryLines('fixed', triage.fixed, session),
  ...troubles.map((trouble) => session.colors.red(wrap(`not saved: ${printable(trouble)}`, session))),
  ...(triage.findings.length === 0 ? [] : ['']),
  ...verdictLines({ summary, triage }, { ledger, record }, session),
  labelled('results', printable(directory), session.width),
];

/** In the order in which a reader needs them. */
const STATUSES: readonly Status[] = ['new', 'flaky', 'recorded', 'tolerated'];

/** `recorded` and `tolerated` findings are both known: the one to the corpus, the other to the file of `--known`. */
const WORDS: Readonly<Record<Status, string>> = { new: 'new', flaky: 'flaky', recorded: 'known', tolerated: 'known' };

const canaryLines = ({ canary }: Ledger, { width, colors }: Session): readonly string[] => {
  if (canary === undefined) return [];
  const { defect, caught, programs } = canary;
  if (caught) return [labelled('canary', `impl:${defect} caught by program ${formatCount(programs - 1)}`, width)];
  return [colors.red(labelled('canary', `impl:${defect} not caught in ${counted(programs, 'program')}`, width))];
};

const corpusLines = (
  { corpus }: Ledger,
  { open, broken, fixed, unreadable }: Triage,
  { width }: Session,
): readonly string[] => {
  const parts = [
    [open.length, 'still open'],
    [broken.length, 'wrong'],
    [fixed.length, 'fixed'],
    [unreadable.length, 'unreadable'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  const entries = counted(corpus.size, 'entry', 'entries');
  const text =
    corpus.size === 0 ? 'empty' : `${entries} replayed, ${told.length === 0 ? 'as recorded' : told.join(', ')}`;
  return [labelled('corpus', text, width)];
};

const poolLines = (seeds: KeptPrograms | undefined, { width }: Session): readonly string[] => {
  if (seeds === undefined) return [];
  const { directory, added, cells, full } = seeds;
  const total = `${formatCount(seeds.seeds)} in ${printable(directory)}`;
  const room = full ? '; no room for more: --most-programs, or shadowdiff corpus programs --prune' : '';
  return [labelled('pool', `${formatCount(added)} new, ${total} reach ${counted(cells, 'situation')}${room}`, width)];
};

const accidentLines = ({ accidents }: Ledger, { width, colors }: Session): readonly string[] => {
  if (accidents.length === 0) return [];
  const text = `${counted(accidents.length, 'worker')} failed on a batch that went well in another one`;
  return [colors.yellow(labelled('workers', text, width))];
};

const findingLines = (
  status: Status,
  { findings }: Triage,
  summaries: readonly FindingSummary[],
  session: Session,
): readonly string[] =>
  findings
    .filter((finding) => finding.status === status)
    .flatMap((finding) => {
      const replay = summaries.find(({ signature }) => signature === finding.signature)?.replay;
      const head = labelled(WORDS[status], `${printable(finding.signature)} (${detailsOf(finding)})`, session.width);
      return [emphasized(status, head, session), ...(replay === undefined ? [] : [`  ${printable(replay)}`])];
    });

const emphasized = (status: Status, text: string, { colors }: Session): string => {
  if (status === 'new') return colors.red(text);
  return status === 'flaky' ? colors.yellow(text) : text;
};

const detailsOf = ({ status, count, occurrence }: TriagedFinding): string => {
  const { shown, entry } = occurrence;
  const steps = counted(entry.case.program.steps.length, 'step');
  const times = counted(count, 'program');
  if (status === 'flaky') return `${times}; shows in ${shown} of ${RERUNS} runs`;
  if (status === 'tolerated') return `${times}; in the file of --known`;
  return `${steps}, ${times}`;
};

/** Entries of which the same is to be said are told by the first of them. */
const entryLines = (title: string, entries: readonly TriagedEntry[], { width }: Session): readonly string[] => {
  const byReason = new Map<string, TriagedEntry[]>();
  for (const entry of entries) byReason.set(entry.reason, [...(byReason.get(entry.reason) ?? []), entry]);
  const lines = [...byReason]
    .slice(0, MOST_REASONS)
    .flatMap(([reason, [first, ...others]]) => [
      labelled(
        title,
        `${printable(reason)}${others.length === 0 ? '' : ` (and ${formatCount(others.length)} more)`}`,
        width,
      ),
      `  ${printable(first.command)}`,
    ]);
  const further = byReason.size - MOST_REASONS;
  return further > 0 ? [...lines, labelled(title, `and ${formatCount(further)} more, in triage.json`, width)] : lines;
};

const verdictLines = (
  { summary, triage }: Pick<Publication, 'summary' | 'triage'>,
  { ledger, record }: { readonly ledger: Ledger; readonly record: RunRecord },
  session: Session,
): readonly string[] => {
  const { colors } = session;
  const { programs, findings, verdict, subject, reference } = summary;
  const found = `${counted(findings.length, 'kind')} of finding in ${counted(programs, 'program')}`;
  const wrong = triage.broken.length === 0 ? '' : `, ${formatCount(triage.broken.length)} wrong in the corpus`;
  const doubts = doubtsOf({ ledger, record, triage }, programs, summary.invariants);
  const besides = doubts.length === 0 ? [] : [colors.yellow(wrap(`besides: ${printable(doubts.join('; '))}`, session))];
  switch (verdict.kind) {
    case 'clean':
      return [
        colors.green(wrap(`clean: ${subject} agrees with ${reference} in ${counted(programs, 'program')}`, session)),
      ];
    case 'divergence':
      return [...besides, colors.red(wrap(`divergence: ${found}${wrong}`, session))];
    case 'inconclusive':
      return [colors.yellow(wrap(`inconclusive: ${printable(verdict.reason)}`, session))];
    case 'interrupted':
      return [colors.yellow(wrap(`interrupted: ${found}${wrong}`, session))];
    case 'unsaved':
      return [colors.red(wrap(`divergence, not saved: ${found}${wrong}`, session))];
    default:
      return verdict satisfies never;
  }
};

const wrap = (text: string, { width }: Session): string => wrapped(text, width).join('\n');
