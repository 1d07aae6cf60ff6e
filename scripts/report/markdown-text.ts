/** A short Markdown summary for a pull request or the page of a workflow. */

import { compactCount, counted, formatCount, formatShare, formatTime, judgedText } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { FindingReport, InvariantReport, InvariantState, ReportDocument } from './document/report-document.js';
import { verdictSentence } from './document/report-verdict.js';
import { STATE_WORDS, STATUS_LABELS, corpusNews, healthLines, problemLines, titleOf } from './report-news.js';

export const markdownText = (report: ReportDocument): string =>
  [
    `### ${MARKS[report.verdict.kind]} ${text(verdictSentence(report.verdict))}`,
    '',
    scopeLine(report),
    ...findingsTable(report.findings),
    ...newsList(report),
    ...invariantsTable(report.invariants),
    ...emptySituations(report.invariants),
  ].join('\n');

const MARKS = {
  divergence: '❌',
  unsaved: '❌',
  clean: '✅',
  inconclusive: '⚠️',
  interrupted: '⚠️',
} as const satisfies Record<ReportDocument['verdict']['kind'], string>;

/** Escapes every character that has a meaning in Markdown or HTML. */
const text = (words: string): string =>
  printable(words).replace(/[\\`*_{}[\]<>()#|!&~]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Code in a table cell. Backticks would not do: a pipe inside them still ends the cell. */
const code = (words: string): string => `<code>${text(words)}</code>`;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const scopeLine = ({ programs, judged, steps, milliseconds, runs }: ReportDocument): string => {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const named = seeds.length === 0 ? '' : `, seed ${seeds.slice(0, 3).map(code).join(', ')}`;
  const more = seeds.length > 3 ? ` and ${seeds.length - 3} more` : '';
  const size = `${counted(programs, 'program')}${judgedText(judged, programs)}, ${counted(steps, 'step')}, ${formatTime(milliseconds)}`;
  const profiles = [...new Set(runs.flatMap(({ profile }) => profile ?? []))];
  const features = [...new Set(runs.flatMap((run) => run.features ?? []))];
  const featured = features.length === 0 ? '' : ` with ${features.join(', ')}`;
  const profiled = profiles.length === 0 ? '' : `, profile ${profiles.join(', ')}${featured}`;
  return `${counted(runs.length, 'run')}: ${size}${named}${more}${profiled}.`;
};

/** At most this many are listed: GitHub takes a summary of one MiB. */
const MOST_FINDINGS = 200;

const findingsTable = (findings: readonly FindingReport[]): readonly string[] => {
  if (findings.length === 0) return [];
  return [
    '',
    '| finding | status | at | steps | can harm | replay |',
    '|---|---|---|--:|---|---|',
    ...findings
      .slice(0, MOST_FINDINGS)
      .map((finding) =>
        row([
          text(titleOf(finding)),
          STATUS_LABELS[finding.status],
          finding.counterexample?.place ?? 'not stored',
          String(finding.steps),
          finding.impact,
          code(finding.replay),
        ]),
      ),
    ...(findings.length <= MOST_FINDINGS
      ? []
      : ['', `And ${counted(findings.length - MOST_FINDINGS, 'finding')} more, in the HTML report.`]),
  ];
};

/** Problems of the runs, how they went, and entries of the corpus to look into. */
const newsList = (report: ReportDocument): readonly string[] => {
  const lines = [...problemLines(report), ...healthLines(report), ...corpusNews(report)];
  if (lines.length === 0) return [];
  return [
    '',
    ...lines.map((line) => {
      const command = line.command === undefined ? '' : `: ${code(line.command)}`;
      return `- ${line.label}: ${text(line.text)}${command}`;
    }),
  ];
};

const STATE_MARKS: Readonly<Partial<Record<InvariantState, string>>> = { broken: '❌ ', unexercised: '⚠️ ' };

const invariantsTable = (invariants: readonly InvariantReport[]): readonly string[] => [
  '',
  '| invariant | state | checks | premise held | situations | edges | impl lines | caught alone | with others |',
  '|---|---|--:|--:|--:|--:|--:|--:|--:|',
  ...invariants.map((invariant) => {
    const { id, state, checks, exercised, situations, edges, code: ran, defects } = invariant;
    return row([
      text(id),
      `${STATE_MARKS[state] ?? ''}${STATE_WORDS[state]}`,
      compactCount(checks),
      formatShare(exercised, checks),
      situations === undefined ? '-' : `${situations.reached}/${situations.reachable}`,
      edges === undefined ? '-' : formatCount(edges),
      ran === undefined ? '-' : formatShare(ran.lines.covered, ran.lines.total),
      defects === undefined ? '-' : formatCount(defects.alone.length),
      defects === undefined ? '-' : formatCount(defects.withOthers.length),
    ]);
  }),
];

/** At most this many empty situations of an invariant are named. */
const MOST_SITUATIONS = 8;

const emptySituations = (invariants: readonly InvariantReport[]): readonly string[] => {
  const lines = invariants.flatMap(({ id, situations }) => {
    const empty = (situations?.grids ?? []).flatMap(({ name, situations: all }) =>
      all
        .filter(({ count, unreachable }) => count === 0 && unreachable === undefined)
        .map(({ values }) => `${name}: ${values.join(' / ')}`),
    );
    if (empty.length === 0) return [];
    const named = empty.slice(0, MOST_SITUATIONS).map(text);
    const more = empty.length > MOST_SITUATIONS ? `; and ${empty.length - MOST_SITUATIONS} more` : '';
    return [`- ${text(id)}: ${named.join('; ')}${more}`];
  });
  return lines.length === 0 ? [] : ['', '**Situations that no program reached**', '', ...lines];
};
