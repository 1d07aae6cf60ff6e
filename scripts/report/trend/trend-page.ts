/** The page over many nights: what is new, then every finding, the nights as plots and as a table, and the scores by mutation. */

import { ruleOfThree } from '../../../properties/campaign/residual-risk.js';
import { counted, formatCount, formatTime, judgedText, oddsText } from '../../terminal/numbers.js';
import type { ReportVerdict } from '../document/report-document.js';
import { bar } from '../html/coverage-sections.js';
import type { Markup } from '../html/markup.js';
import { html } from '../html/markup.js';
import { pageMarkup, viewerFile } from '../html/page-frame.js';
import { summaryFrame } from '../html/summary-section.js';
import type { NewsLine } from '../report-news.js';
import { STATUS_LABELS, titleOf } from '../report-news.js';
import type { Night } from './night.js';
import { gapText, nightsSection } from './nights-section.js';
import type { FindingTrend, FoundNight, TestedTrend, Trend, Week } from './trend.js';
import { dayOf, grouped, isCutShort } from './trend.js';

const TITLE = 'What the nights found';
/** More rows than these only make the page slow. */
const MOST_FINDINGS = 500;
/** At most so many findings are named at the top. */
const MOST_NAMED = 5;

export const trendPage = async (trend: Trend): Promise<Markup> => {
  const findings = trend.tested.some((each) => each.findings.length > 0);
  const scores = scoresSection(trend.nights);
  return pageMarkup({
    title: TITLE,
    style: await viewerFile('page.css'),
    scripts: [],
    contents: [
      ...(findings ? [['findings', 'Findings'] as const] : []),
      ['nights', 'Nights'],
      ...(scores === undefined ? [] : [['scores', 'Scores by mutation'] as const]),
    ],
    body: html`${summary(trend)} ${findings ? findingsSection(trend.tested) : undefined} ${nightsSection(trend.tested)}
    ${scores}`,
  });
};

// The top.

const summary = (trend: Trend): Markup => {
  const { week, weekBefore, tested, nights } = trend;
  // What only a night in the future showed is new, although no week has that night.
  const fresh = tested
    .flatMap(({ findings }) => findings)
    .filter((each) => each.state === 'new' || (each.state === 'flaky' && week.newFindings.includes(each)));
  const versions = [...new Set(week.nights.map(({ version }) => version))];
  return summaryFrame({
    kind: verdictOf(trend),
    sentence: `${weekSentence(trend)} ${workSentence(week)}`,
    facts: [
      ['nights', formatCount(week.nights.length)],
      [
        'programs',
        `${formatCount(sumOf(week, 'programs'))}${judgedText(sumOf(week, 'judged'), sumOf(week, 'programs'))}`,
      ],
      ['steps', formatCount(sumOf(week, 'steps'))],
      ['time', formatTime(sumOf(week, 'milliseconds'))],
      ['version', versions.join(', ')],
    ],
    news: [
      ...fresh.slice(0, MOST_NAMED).map((finding) => ({
        label: finding.state === 'flaky' ? 'flaky' : 'new',
        text: html`${findingLink(finding)}, first on ${dayOf(finding.first)}`,
        tone: 'bad' as const,
      })),
      ...week.fixed.slice(0, MOST_NAMED).map((finding) => ({
        label: 'fixed',
        text: html`${findingLink(finding)}, last shown on ${dayOf(finding.last)}`,
        tone: 'plain' as const,
      })),
      ...futureLines(trend),
      ...troubleLines(week),
      ...canaryLines(week),
      ...tested.flatMap((each) => toFindLines(each, tested.length > 1)),
      ...(weekBefore === undefined ? [] : [beforeLine(weekBefore)]),
      { label: 'history', text: `${counted(nights.length, 'night')} since ${dayOf(nights[0].night)}`, tone: 'plain' },
    ],
  });
};

/** What is new comes first. */
export const weekSentence = ({ tested, week, lastDay }: Trend): string => {
  const count = (state: FindingTrend['state']): number =>
    tested.flatMap(({ findings }) => findings).filter((finding) => finding.state === state).length;
  const fresh = count('new');
  const others = [
    ...(count('open') === 0 ? [] : [`${formatCount(count('open'))} still open`]),
    ...(count('flaky') === 0 ? [] : [`${formatCount(count('flaky'))} flaky`]),
    ...(week.fixed.length === 0 ? [] : [`${formatCount(week.fixed.length)} fixed`]),
  ];
  const news = fresh === 0 ? 'Nothing new' : counted(fresh, 'new finding');
  return `${[news, ...others].join(', ')} in the week to ${lastDay}.`;
};

const workSentence = (week: Week): string => {
  const cut = week.nights.filter(isCutShort).length;
  const ended = cut === 0 ? '' : `, ${formatCount(cut)} of them cut short,`;
  return `${counted(week.nights.length, 'night')}${ended} ran ${counted(sumOf(week, 'programs'), 'program')}.`;
};

const sumOf = ({ nights }: Week, field: 'programs' | 'judged' | 'steps' | 'milliseconds'): number =>
  nights.reduce((sum, night) => sum + night[field], 0);

/** As a report is coloured: by what is wrong with the machines and not excused, else by what is wrong with the nights. */
const verdictOf = ({ tested, week, inFuture }: Trend): ReportVerdict['kind'] => {
  const left = tested
    .flatMap(({ findings }) => findings)
    .some(({ state, finding: { status } }) => state !== 'fixed' && status !== 'tolerated');
  if (left || week.nights.some(({ broken }) => broken > 0)) return 'divergence';
  const isSound = week.nights.every((night) => night.verdict === 'clean');
  return isSound && week.gaps.length + inFuture.length === 0 ? 'clean' : 'inconclusive';
};

const futureLines = ({ inFuture, lastDay }: Trend): readonly NewsLine[] =>
  inFuture.slice(0, MOST_NAMED).map((night) => ({
    label: 'future',
    text: `the night ${night.seed} is dated ${dayOf(night)}, after today: the week ends on ${lastDay}, without it`,
    tone: 'warn',
  }));

/** Why a night of the week proves little. */
const troubleLines = (week: Week): readonly NewsLine[] => [
  ...week.gaps.map((gap): NewsLine => ({ label: 'gap', text: gapText(gap), tone: 'warn' })),
  ...week.nights.filter(isCutShort).map((night): NewsLine => ({
    label: 'cut short',
    text: `${dayOf(night)} ${night.verdict === 'unfinished' ? 'did not come to its end, or still runs' : 'was interrupted'}, after ${formatTime(night.milliseconds)} and ${counted(night.programs, 'program')}`,
    tone: 'warn',
  })),
  ...week.nights.flatMap((night): readonly NewsLine[] =>
    night.doubt === undefined ? [] : [{ label: 'doubt', text: `${dayOf(night)}: ${night.doubt}`, tone: 'warn' }],
  ),
  ...week.nights
    .filter(({ broken }) => broken > 0)
    .map((night): NewsLine => ({
      label: 'corpus',
      text: `${dayOf(night)}: ${counted(night.broken, 'entry', 'entries')} wrong`,
      tone: 'bad',
    })),
];

const canaryLines = ({ nights }: Week): readonly NewsLine[] => {
  const flown = nights.flatMap(({ canary }) => canary ?? []);
  const missed = nights.filter(({ canary }) => canary?.caught === false);
  if (flown.length === 0) return [];
  const text = `caught in ${formatCount(flown.length - missed.length)} of ${counted(flown.length, 'night')}`;
  const names = missed.map((night) => `impl:${night.canary!.defect} on ${dayOf(night)}`);
  return [
    missed.length === 0
      ? { label: 'canary', text, tone: 'plain' }
      : { label: 'canary', text: `${text}, not ${names.join(', ')}`, tone: 'bad' },
  ];
};

/** How much the last version has left to find on these machines. Only nights of one version add up. */
const toFindLines = ({ name, nights }: TestedTrend, isNamed: boolean): readonly NewsLine[] => {
  const { night } = nights.at(-1)!;
  const alike = nights.filter((each) => each.night.version === night.version);
  const judged = alike.reduce((sum, each) => sum + each.night.judged, 0);
  if (judged === 0) return [];
  const { reached, left } = alike.map((each) => each.night).toSorted(byReached)[0].situations;
  const whose = isNamed ? `${name}: ` : '';
  const most = `${formatCount(reached)} of ${formatCount(reached + left)} situations reached in the best night`;
  const bound = `a signature that no night of version ${night.version} showed is in fewer than ${oddsText(ruleOfThree(judged))} programs, with 95 % confidence`;
  return [{ label: 'to find', text: `${whose}${most}; ${bound}`, tone: 'plain' }];
};

const byReached = (one: Night, other: Night): number => other.situations.reached - one.situations.reached;

const beforeLine = (week: Week): NewsLine => ({
  label: 'before',
  text: `${counted(week.nights.length, 'night')} and ${counted(sumOf(week, 'programs'), 'program')} in the seven days before, ${counted(week.newFindings.length, 'new finding')}`,
  tone: 'plain',
});

// Findings.

const findingLink = ({ finding, link }: FindingTrend): Markup =>
  link === undefined ? html`${titleOf(finding)}` : html`<a href="${link}">${titleOf(finding)}</a>`;

const findingsSection = (tested: readonly TestedTrend[]): Markup => {
  const findings = tested.flatMap((each) => each.findings.map((finding) => ({ ...finding, name: each.name })));
  const shown = findings.slice(0, MOST_FINDINGS);
  return html`<section id="findings" aria-labelledby="findings-title">
    <h2 id="findings-title">${counted(findings.length, 'finding')}</h2>
    <p class="lead">
      New: first shown in the last seven days. Open: older, or known before its first night, from the corpus or the file
      of <code>--known</code>. Fixed: the replay of the corpus no longer shows it, or so many programs have run without
      it that, were it still there, the probability of this would be below 5 %. A link leads to the last report that has
      it.
    </p>
    <div class="scroll" role="region" aria-label="Findings" tabindex="0">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">finding</th>
            <th scope="col">state</th>
            ${tested.length === 1 ? undefined : html`<th scope="col">tested</th>`}
            <th scope="col">first night</th>
            <th scope="col">last night</th>
            <th scope="col">fixed on</th>
            <th scope="col" class="number">nights</th>
            <th scope="col" class="number">programs</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (each) =>
              html`<tr>
                <th scope="row">${findingLink(each)}</th>
                <td class="${each.state === 'new' ? 'bad' : 'none'}">${stateText(each)}</td>
                ${tested.length === 1 ? undefined : html`<td>${each.name}</td>`}
                <td class="day">${dayOf(each.first)}</td>
                <td class="day">${dayOf(each.last)}</td>
                <td class="day">${each.settled === undefined ? '–' : dayOf(each.settled)}</td>
                <td class="number">${formatCount(each.nights)}</td>
                <td class="number">${formatCount(each.programs)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${findings.length > shown.length ? html`<p>${counted(findings.length - shown.length, 'finding')} more.</p>` : undefined}
  </section>`;
};

/** A tolerated finding is open, and excused. */
const stateText = ({ state, finding: { status } }: FindingTrend): string =>
  state === 'open' && status === 'tolerated' ? `open, ${STATUS_LABELS[status]}` : state;

// Scores by mutation.

const scoresSection = (nights: readonly FoundNight[]): Markup | undefined => {
  const all = nights.flatMap(({ night }) => night.mutations);
  const scores = [...grouped(all, (score) => JSON.stringify(score)).values()].map(([score]) => score);
  if (scores.length === 0) return undefined;
  return html`<section id="scores" aria-labelledby="scores-title">
    <h2 id="scores-title">Scores by mutation</h2>
    <p class="lead">
      How many changes in one place of a machine the default traffic finds. Measured apart from the nights, by
      <code>npm run mutation</code>.
    </p>
    <div class="scroll" role="region" aria-label="Scores by mutation" tabindex="0">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">machine</th>
            <th scope="col">version</th>
            <th scope="col">measured on</th>
            <th scope="col" class="number">changes</th>
            <th scope="col">found, of those that a program could show</th>
            <th scope="col" class="number">missed</th>
          </tr>
        </thead>
        <tbody>
          ${scores.map(
            ({ machine, version, date, mutations, found, missed }) =>
              html`<tr>
                <th scope="row">${machine}</th>
                <td>${version}</td>
                <td class="day">${date}</td>
                <td class="number">${formatCount(mutations)}</td>
                <td>${bar(found, found + missed, `${formatCount(found)} of ${formatCount(found + missed)}`)}</td>
                <td class="number">${formatCount(missed)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
};
