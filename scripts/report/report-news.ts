/** How the runs themselves went, and what they found in the corpus, as lines for the terminal and the page. */

import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { counted, formatCount, oddsText } from '../terminal/numbers.js';
import type {
  CorpusReport,
  EdgesReport,
  FindingReport,
  InvariantState,
  Prospect,
  ReportDocument,
  ResidualRisk,
} from './document/report-document.js';

export interface NewsLine {
  readonly label: string;
  readonly text: string;
  readonly tone: 'plain' | 'warn' | 'bad';
  /** The command line to look into it. */
  readonly command?: string;
}

/** `recorded` findings are known to the corpus, tolerated ones to the file of `--known`. */
export const STATUS_LABELS: Readonly<Record<FindingReport['status'], string>> = {
  new: 'new',
  flaky: 'flaky',
  recorded: 'known',
  tolerated: 'known',
};

export const STATE_WORDS: Readonly<Record<InvariantState, string>> = {
  broken: 'broken',
  unexercised: 'never exercised',
  gaps: 'held, with gaps',
  held: 'held',
  'not-asked': 'not asked',
};

/** How serious a finding is to a build server. */
export const SEVERITIES = {
  new: 'error',
  flaky: 'warning',
  recorded: 'warning',
  tolerated: 'notice',
} as const satisfies Record<FindingReport['status'], string>;

/** The name of a finding that has it alone. */
export const titleOf = ({ signature, namesake }: Pick<FindingReport, 'signature' | 'namesake'>): string =>
  namesake === undefined ? signature : `${signature} (${perhapsText(namesake)})`;

/** `namesake`: the kinds of steps that its program needs. */
export const perhapsText = (namesake: string): string => `perhaps another bug under this name: it needs ${namesake}`;

/** At most this many different reasons are listed about one kind of corpus entry. */
const MOST_REASONS = 10;

/** At most this many signatures are named of which there were further findings. */
const MOST_NAMED = 3;

/** What could not be saved, and why the runs prove little, unless the verdict gives these reasons. */
export const problemLines = ({ troubles, doubts, verdict }: ReportDocument): readonly NewsLine[] => [
  ...troubles.map((text): NewsLine => ({ label: 'not saved', text, tone: 'bad' })),
  ...(verdict.kind === 'inconclusive' ? [] : doubts).map((text): NewsLine => ({ label: 'doubt', text, tone: 'warn' })),
];

/** Whether the runs themselves went well. */
export const healthLines = (report: ReportDocument): readonly NewsLine[] => {
  const { canaries, corpus, retries, invariants, edges, notLookedAt, residualRisks } = report;
  return [
    ...partlyAskedLine(invariants),
    ...edges.map(edgesLine),
    ...residualRisks.flatMap(residualRiskLine),
    ...canaries.map(canaryLine),
    ...(corpus === undefined ? [] : [corpusLine(corpus)]),
    ...(retries === 0 ? [] : [retryLine(retries)]),
    ...(notLookedAt === undefined ? [] : [furtherLine(notLookedAt)]),
  ];
};

/** The invariants that were asked only in part, by name. Those that were not asked at all stand in the table of invariants. */
const partlyAskedLine = (invariants: ReportDocument['invariants']): readonly NewsLine[] => {
  const ids = inOrder(invariants.filter(({ asked }) => asked === 'partly').map(({ id }) => id));
  return ids.length === 0 ? [] : [{ label: 'in part', text: ids.join(', '), tone: 'warn' }];
};

/** As the registry has them. */
const inOrder = (ids: readonly string[]): readonly string[] =>
  INVARIANTS.map(({ id }) => id).filter((id) => ids.includes(id));

const edgesLine = ({ subject, total, last, ...prospect }: EdgesReport): NewsLine => {
  const share = `${formatCount(prospect.reached)} of ${formatCount(total)} in the code of ${subject}`;
  const news = last === null ? '' : `, the last new one by program ${formatCount(last)}`;
  const further = last === null || prospect.left === 0 ? '' : `; ${furtherText(prospect, 'program')}`;
  return { label: 'edges', text: `${share}${news}${further}`, tone: 'plain' };
};

const residualRiskLine = (risk: ResidualRisk): readonly NewsLine[] =>
  risk.judged === 0
    ? []
    : [{ label: 'to find', text: `${foundText(risk.situations)}; ${nextText(risk)}`, tone: 'plain' }];

const foundText = ({ reached, left }: Prospect): string =>
  left === 0
    ? `all ${formatCount(reached)} situations were reached`
    : `${formatCount(reached)} of ${formatCount(reached + left)} situations were reached`;

const nextText = ({ neverSeen, situations }: ResidualRisk): string =>
  situations.left === 0
    ? `a signature that never showed is in fewer than ${oddsText(neverSeen)} programs, with 95 % confidence`
    : furtherText(situations, 'judged program');

/** Without times, so that it can be compared between runs. */
const furtherText = ({ unseen, newPerProgram, next }: Prospect, unit: string): string =>
  next === null
    ? `each by more than one program; a ${unit} reaches a new one with a probability below ${oddsText(newPerProgram.high)}`
    : `about ${estimateText(unseen)} of the others are within reach, the next after about ${counted(next.programs, 'program')}`;

/** `12 (7 to 30)`. */
export const estimateText = ({ value, low, high }: Prospect['unseen']): string =>
  `${formatCount(Math.round(value))} (${formatCount(Math.floor(low))} to ${formatCount(Math.ceil(high))})`;

const canaryLine = ({ defect, caught, programs }: ReportDocument['canaries'][number]): NewsLine =>
  caught
    ? { label: 'canary', text: `impl:${defect} caught by program ${formatCount(programs - 1)}`, tone: 'plain' }
    : { label: 'canary', text: `impl:${defect} not caught in ${counted(programs, 'program')}`, tone: 'bad' };

const corpusLine = ({ replayed, open, broken, fixed, unreadable, notRun, unsupported }: CorpusReport): NewsLine => {
  const parts = [
    [open.length, 'still open'],
    [broken.length, 'wrong'],
    [fixed.length, 'fixed'],
    [unreadable.length, 'unreadable'],
    [notRun.length, 'not run'],
    [unsupported.length, 'not supported'],
  ] as const;
  const news = parts.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  const entries = `${counted(replayed, 'entry', 'entries')} replayed`;
  const state = news.length === 0 ? 'as recorded' : news.join(', ');
  return { label: 'corpus', text: replayed === 0 ? 'empty' : `${entries}, ${state}`, tone: 'plain' };
};

const retryLine = (retries: number): NewsLine => ({
  label: 'workers',
  text: `failed or were killed ${counted(retries, 'time')}; their tasks were tried again`,
  tone: 'warn',
});

const furtherLine = (notLookedAt: NonNullable<ReportDocument['notLookedAt']>): NewsLine => {
  const named = notLookedAt.slice(0, MOST_NAMED).map(({ signature, count }) => `${formatCount(count)} of ${signature}`);
  const more = notLookedAt.slice(MOST_NAMED).reduce((sum, { count }) => sum + count, 0);
  const others = more === 0 ? '' : `, and ${formatCount(more)} more`;
  const text = `findings not looked at, perhaps other bugs (more --shrink-time): ${named.join(', ')}${others}`;
  return { label: 'further', text, tone: 'plain' };
};

/** Entries of the corpus to look into. Entries with the same reason share a line, with the command for the first. */
export const corpusNews = ({ corpus }: ReportDocument): readonly NewsLine[] =>
  corpus === undefined
    ? []
    : [
        ...entryLines('known', corpus.open, 'plain'),
        ...entryLines('corpus', corpus.broken, 'bad'),
        ...entryLines('fixed', corpus.fixed, 'plain'),
        ...entryLines('not run', corpus.notRun, 'warn'),
        ...entryLines('skipped', corpus.unsupported, 'plain'),
      ];

const entryLines = (label: string, entries: CorpusReport['open'], tone: NewsLine['tone']): readonly NewsLine[] => {
  const byReason = new Map<string, CorpusReport['open'][number][]>();
  for (const entry of entries) byReason.set(entry.reason, [...(byReason.get(entry.reason) ?? []), entry]);
  const lines = [...byReason].slice(0, MOST_REASONS).map(([reason, [first, ...others]]): NewsLine => {
    const more = others.length === 0 ? '' : ` (and ${formatCount(others.length)} more)`;
    return { label, text: `${reason}${more}`, tone, command: first.command };
  });
  const further = byReason.size - MOST_REASONS;
  if (further <= 0) return lines;
  return [...lines, { label, text: `and ${formatCount(further)} more, in summary.json`, tone: 'plain' }];
};
