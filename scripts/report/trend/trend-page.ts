/** The page over many nights: what is new, then every finding, the nights as plots and as a table, and the scores by mutation. */

import { newPerProgram, ruleOfThree } from '../../../properties/campaign/residual-risk.js';
import { compactCount, counted, formatCount, formatTime, judgedText, oddsText } from '../../terminal/numbers.js';
import type { ReportVerdict } from '../document/report-document.js';
import { bar } from '../html/coverage-sections.js';
import type { Markup } from '../html/markup.js';
import { html } from '../html/markup.js';
import { pageMarkup, viewerFile } from '../html/page-frame.js';
import type { Curve } from '../html/plot.js';
import { plot } from '../html/plot.js';
import { summaryFrame } from '../html/summary-section.js';
import type { NewsLine } from '../report-news.js';
import { STATUS_LABELS, titleOf } from '../report-news.js';
import type { Night, NightFinding } from './night.js';
import { findingName } from './night.js';
import type { FindingTrend, FoundNight, Gap, TestedTrend, Trend, Week } from './trend.js';
import { DAY, dayOf, grouped, isCutShort, timeOf } from './trend.js';

const TITLE = 'What the nights found';
/** More rows and dots than these only make the page slow. */
const MOST_FINDINGS = 500;
const MOST_NIGHTS = 1000;
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
  const fresh = week.newFindings.filter(({ state }) => state !== 'fixed');
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

const gapText = ({ from, to, days }: Gap): string =>
  days === 1 ? `no night on ${from}` : `no night from ${from} to ${to}, ${formatCount(days)} days`;

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

// Nights.

const nightsSection = (tested: readonly TestedTrend[]): Markup =>
  html`<section id="nights" aria-labelledby="nights-title">
    <h2 id="nights-title">Night by night</h2>
    <p class="lead">
      A hollow dot is a night that was cut short. A line ends where a day has no night, and each version has lines of
      its own.
    </p>
    ${tested.map(testedView)}
  </section>`;

const testedView = (tested: TestedTrend): Markup =>
  html`<h3>${tested.name}</h3>
    <div class="plots">${MEASURES.map((measure) => measurePlot(measure, tested))}</div>
    ${nightsTable(tested)}`;

const shownOf = ({ nights }: TestedTrend): readonly FoundNight[] => nights.slice(-MOST_NIGHTS);

interface Measure {
  readonly title: string;
  readonly valueOf: (night: Night) => number;
  readonly textOf: (night: Night, tested: TestedTrend) => string;
  readonly textOfY?: (y: number) => string;
}

/** Programs to which a chance is drawn: the axis begins with whole numbers. */
const MILLION = 1_000_000;

/** By their state in this night. */
const findingsText = (night: Night, { findings, firstNights }: TestedTrend): string => {
  const isFirst = (finding: NightFinding): boolean => firstNights.get(findingName(finding)) === night;
  const fresh = night.findings.filter((finding) => finding.status === 'new' && isFirst(finding)).length;
  const flaky = night.findings.filter(({ status }) => status === 'flaky').length;
  const fixed = findings.filter(({ settled }) => settled === night).length;
  const counts = [
    [fresh, 'new'],
    [night.findings.length - fresh - flaky, 'open'],
    [flaky, 'flaky'],
    [fixed, 'fixed'],
  ] as const;
  const texts = counts.filter(([count]) => count > 0).map(([count, state]) => `${formatCount(count)} ${state}`);
  return texts.join(', ') || 'none';
};

const MEASURES: readonly Measure[] = [
  {
    title: 'Programs',
    valueOf: ({ programs }) => programs,
    textOf: ({ programs }) => formatCount(programs),
  },
  { title: 'Steps a second', valueOf: (night) => rateOf(night), textOf: (night) => compactCount(rateOf(night)) },
  {
    title: 'Situations reached',
    valueOf: ({ situations }) => situations.reached,
    textOf: ({ situations: { reached, left } }) => `${formatCount(reached)} of ${formatCount(reached + left)}`,
  },
  {
    title: 'Chance of a new situation, 1 in so many judged programs',
    valueOf: (night) => chanceOf(night) * MILLION,
    textOf: (night) => chanceText(night),
    textOfY: (y) => (y === 0 ? 'none' : compactCount(MILLION / y)),
  },
  { title: 'Findings', valueOf: ({ findings }) => findings.length, textOf: findingsText },
];

const rateOf = ({ steps, milliseconds }: Night): number =>
  milliseconds === 0 ? 0 : Math.round((steps / milliseconds) * 1000);

const chanceOf = ({ situations, judged }: Night): number =>
  judged === 0 ? 0 : newPerProgram(situations, judged).value;

/** That a judged program reaches a new situation. */
const chanceText = (night: Night): string =>
  night.judged === 0 ? '–' : night.situations.left === 0 ? 'none left' : oddsText(chanceOf(night));

const measurePlot = ({ title, valueOf, textOf, textOfY }: Measure, tested: TestedTrend): Markup => {
  const nights = shownOf(tested);
  const start = timeOf(nights[0].night);
  const [last, span] = [nights.at(-1)!.night, timeOf(nights.at(-1)!.night) - start];
  const byVersion = [...grouped(nights, ({ night }) => night.version)];
  const curves = byVersion.flatMap(([version, own]) =>
    unbroken(own.map(({ night }) => night)).map((piece, index, pieces): Curve => {
      const isNamed = byVersion.length > 1 && index === pieces.length - 1;
      return {
        drawn: 'dots',
        points: piece.map((night) => ({
          x: timeOf(night) - start,
          y: valueOf(night),
          text: `${dayOf(night)}: ${textOf(night, tested)}`,
          isPartial: isCutShort(night),
        })),
        ...(isNamed ? { name: version } : {}),
      };
    }),
  );
  return plot({
    title,
    description: `${textOf(last, tested)} in the last night, ${dayOf(last)}.`,
    curves,
    textOfX: (x) =>
      new Date(start + x)
        .toISOString()
        .slice(5, span < FEW_DAYS ? 16 : 10)
        .replace('T', ' '),
    ...(textOfY === undefined ? {} : { textOfY }),
    marks: [],
  });
};

/** Over fewer days than these, ticks of the axis could fall on one day, so they name the hour as well. */
const FEW_DAYS = 4 * DAY;

/** Pieces without a day that has no night. */
const unbroken = (nights: readonly Night[]): readonly (readonly Night[])[] => {
  const pieces: Night[][] = [];
  for (const night of nights) {
    const before = pieces.at(-1)?.at(-1);
    const isNext = before !== undefined && Date.parse(dayOf(night)) - Date.parse(dayOf(before)) <= DAY;
    if (isNext) pieces.at(-1)!.push(night);
    else pieces.push([night]);
  }
  return pieces;
};

/** The newest first, with a heading above each version if there are several. */
const nightsTable = (tested: TestedTrend): Markup => {
  const { name, nights, gaps } = tested;
  const shown = shownOf(tested).toReversed();
  const versions = new Set(nights.map(({ night }) => night.version));
  const older = nights.length - shown.length;
  return html`<div class="scroll" role="region" aria-label="Nights: ${name}" tabindex="0">
      <table class="plain nights">
        <thead>
          <tr>
            <th scope="col">night</th>
            <th scope="col" class="number">programs</th>
            <th scope="col" class="number">judged</th>
            <th scope="col" class="number">steps a second</th>
            <th scope="col">time</th>
            <th scope="col">situations reached</th>
            <th scope="col">chance of a new one</th>
            <th scope="col">findings</th>
            <th scope="col">canary</th>
            <th scope="col">verdict</th>
          </tr>
        </thead>
        ${byVersionRuns(shown).map(
          (run) =>
            html`<tbody>
              ${
                versions.size === 1
                  ? undefined
                  : html`<tr>
                      <th colspan="10" scope="rowgroup">version ${run[0].night.version}</th>
                    </tr>`
              }
              ${run.map((night) => [nightRow(night, tested), gapBefore(night, nights, gaps)])}
            </tbody>`,
        )}
      </table>
    </div>
    ${older === 0 ? undefined : html`<p>${counted(older, 'older night')} not shown.</p>`}`;
};

const byVersionRuns = (nights: readonly FoundNight[]): readonly (readonly FoundNight[])[] => {
  const runs: FoundNight[][] = [];
  for (const each of nights) {
    if (runs.at(-1)?.[0].night.version === each.night.version) runs.at(-1)!.push(each);
    else runs.push([each]);
  }
  return runs;
};

const nightRow = ({ night, report }: FoundNight, tested: TestedTrend): Markup => {
  const { programs, judged, milliseconds, situations, canary, verdict } = night;
  const day = html`<span class="day">${dayOf(night)}</span>`;
  return html`<tr>
    <th scope="row">
      ${report === undefined ? day : html`<a href="${report}">${day}</a>`} <small>${night.seed}</small>
    </th>
    <td class="number">${formatCount(programs)}</td>
    <td class="number">${formatCount(judged)}</td>
    <td class="number">${compactCount(rateOf(night))}</td>
    <td class="day">${formatTime(milliseconds)}</td>
    <td>${formatCount(situations.reached)} of ${formatCount(situations.reached + situations.left)}</td>
    <td>${chanceText(night)}</td>
    <td>${findingsText(night, tested)}</td>
    <td>
      ${canary === null ? '–' : canary.caught ? html`caught` : html`<strong class="bad">impl:${canary.defect} missed</strong>`}
    </td>
    <td>${verdict === 'unfinished' ? 'did not end' : verdict}</td>
  </tr>`;
};

/** The days without a night before this one, if it is the first after them. */
const gapBefore = ({ night }: FoundNight, nights: readonly FoundNight[], gaps: readonly Gap[]): Markup | undefined => {
  const gap = gaps.findLast(({ to }) => to < dayOf(night));
  if (gap === undefined) return undefined;
  const first = nights.find((each) => dayOf(each.night) > gap.to);
  return first?.night === night
    ? html`<tr class="gap">
        <td colspan="10">${gapText(gap)}</td>
      </tr>`
    : undefined;
};

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
