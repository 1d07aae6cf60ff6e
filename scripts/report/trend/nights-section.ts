/** Night by night: plots, and a table. */

import { newPerProgram } from '../../../properties/campaign/residual-risk.js';
import { compactCount, counted, formatCount, formatTime, oddsText } from '../../terminal/numbers.js';
import type { Markup } from '../html/markup.js';
import { html } from '../html/markup.js';
import type { Curve } from '../html/plot.js';
import { plot } from '../html/plot.js';
import type { Night, NightFinding } from './night.js';
import { findingName } from './night.js';
import type { FoundNight, Gap, TestedTrend } from './trend.js';
import { DAY, dayOf, grouped, isCutShort, timeOf } from './trend.js';

/** More rows and dots than these only make the page slow. */
const MOST_NIGHTS = 1000;

export const nightsSection = (tested: readonly TestedTrend[]): Markup =>
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
    <div class="plots">
      ${tested.past.length === 0 ? undefined : MEASURES.map((measure) => measurePlot(measure, tested))}
    </div>
    ${nightsTable(tested)}`;

const shownOf = (nights: readonly FoundNight[]): readonly FoundNight[] => nights.slice(-MOST_NIGHTS);

interface Measure {
  readonly title: string;
  readonly valueOf: (night: Night) => number;
  readonly textOf: (night: Night, tested: TestedTrend) => string;
  readonly textOfY?: (y: number) => string;
}

/** Chances are plotted per million programs, because the scale of an axis is in whole numbers. */
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
  const nights = shownOf(tested.past);
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
  const shown = shownOf(nights).toReversed();
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

export const gapText = ({ from, to, days }: Gap): string =>
  days === 1 ? `no night on ${from}` : `no night from ${from} to ${to}, ${formatCount(days)} days`;
