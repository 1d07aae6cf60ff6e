/** How each run progressed: its speed, and when it last reached something new. */

import { compactCount, counted, formatTime } from '../../terminal/numbers.js';
import type { ReportDocument, TimelineReport } from '../document/report-document.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

type Milestone = TimelineReport['milestones'][number];

export const timelineSection = ({ timelines }: ReportDocument): Markup | undefined => {
  if (timelines.length === 0) return undefined;
  return html`<section id="timeline" aria-labelledby="timeline-title">
    <h2 id="timeline-title">Over time</h2>
    ${timelines.map(({ source, milestones }) => runPlots(source, thinned(milestones)))}
  </section>`;
};

/** More points than this only make the page slow. */
const MOST_POINTS = 400;

/** Every nth milestone, always with the last. */
const thinned = (milestones: readonly Milestone[]): readonly Milestone[] => {
  const every = Math.ceil(milestones.length / MOST_POINTS);
  return milestones.filter((_, index) => (milestones.length - 1 - index) % every === 0);
};

const runPlots = (source: string, milestones: readonly Milestone[]): Markup =>
  html`<h3>${source}</h3>
    <div class="plots">
      ${plot({
        title: 'Steps a second',
        description: speedText(milestones),
        points: speeds(milestones),
        drawn: 'line',
        textOfX: formatTime,
        marks: [],
      })}
      ${plot({
        title: 'Situations reached',
        description: noveltyText(milestones),
        points: milestones.map(({ milliseconds, situations }) => ({ x: milliseconds, y: situations })),
        drawn: 'steps',
        textOfX: formatTime,
        marks: findingMarks(milestones),
      })}
    </div>`;

/** The speed between each two milestones, placed at the later one. */
const speeds = (milestones: readonly Milestone[]): readonly Point[] =>
  milestones.flatMap((each, index) => {
    const before = milestones[index - 1] ?? { milliseconds: 0, steps: 0 };
    const time = each.milliseconds - before.milliseconds;
    return time <= 0 ? [] : [{ x: each.milliseconds, y: ((each.steps - before.steps) / time) * 1000 }];
  });

const speedText = (milestones: readonly Milestone[]): string => {
  const last = milestones.at(-1);
  if (last === undefined || last.milliseconds === 0) return 'The run was too short.';
  return `${compactCount((last.steps / last.milliseconds) * 1000)} on average, over ${formatTime(last.milliseconds)}.`;
};

const noveltyText = (milestones: readonly Milestone[]): string => {
  const last = milestones.at(-1);
  if (last === undefined) return 'The run was too short.';
  const newest = milestones.find(({ situations }) => situations === last.situations) ?? last;
  const since = last.milliseconds - newest.milliseconds;
  const found = last.findings === 0 ? '' : ` ${counted(last.findings, 'finding')}, marked by dashed lines.`;
  return `${last.situations}; the last new one after ${formatTime(newest.milliseconds)}, none in the ${formatTime(since)} since.${found}`;
};

const findingMarks = (milestones: readonly Milestone[]): readonly { readonly x: number; readonly text: string }[] =>
  milestones.flatMap(({ milliseconds, findings }, index) => {
    const more = findings - (milestones[index - 1]?.findings ?? 0);
    return more <= 0
      ? []
      : [{ x: milliseconds, text: `${counted(more, 'finding')} after ${formatTime(milliseconds)}` }];
  });

// The plot: a small line in SVG.

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Plot {
  readonly title: string;
  /** What the plot shows, in a sentence. */
  readonly description: string;
  readonly points: readonly Point[];
  /** Dashed lines that go on from there; left out: none. */
  readonly forecasts?: readonly (readonly Point[])[];
  /** `steps`: the value holds until the next point. */
  readonly drawn: 'line' | 'steps';
  readonly textOfX: (x: number) => string;
  /** Events: where, and what. */
  readonly marks: readonly { readonly x: number; readonly text: string }[];
}

const WIDTH = 440;
const HEIGHT = 190;
/** The axes: room for numbers at the left and below. */
const LEFT = 48;
const BOTTOM = HEIGHT - 24;
const TOP = 12;
const RIGHT = WIDTH - 14;
const TICKS = 4;

/** Rounds up to 1, 2, 2.5 or 5 times a power of ten. */
const roundUp = (value: number): number => {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 2.5, 5].find((factor) => factor * power >= value) ?? 10);
};

export const plot = ({ title, description, points, forecasts = [], drawn, textOfX, marks }: Plot): Markup => {
  const all = [...points, ...forecasts.flat()];
  const mostX = Math.max(1, ...all.map(({ x }) => x));
  const step = roundUp(Math.max(1, ...all.map(({ y }) => y)) / TICKS);
  const place = ({ x, y }: Point): Point => ({
    x: fixed(LEFT + (x / mostX) * (RIGHT - LEFT)),
    y: fixed(BOTTOM - (y / (step * TICKS)) * (BOTTOM - TOP)),
  });
  const rows = Array.from({ length: TICKS + 1 }, (_, index) => index * step);
  const columns = Array.from({ length: TICKS + 1 }, (_, index) => (index / TICKS) * mostX);
  return html`<figure class="plot">
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: ${description}">
      ${rows.map((y) => gridLine(place({ x: 0, y }).y, compactCount(y)))}
      ${columns.map((x, index) => tick(place({ x, y: 0 }).x, textOfX(x), anchorOf(index)))}
      ${marks.map(({ x, text }) => mark(place({ x, y: 0 }).x, text))}
      <path class="curve" d="${pathOf(points.map(place), drawn)}" />
      ${forecasts.map((line) => html`<path class="curve forecast" d="${pathOf(line.map(place), 'line')}" />`)}
    </svg>
    <p class="lead">${description}</p>
  </figure>`;
};

const fixed = (value: number): number => Math.round(value * 10) / 10;

const anchorOf = (index: number): string => (index === 0 ? 'start' : index === TICKS ? 'end' : 'middle');

const gridLine = (y: number, text: string): Markup =>
  html`<line class="grid-line" x1="${LEFT}" x2="${RIGHT}" y1="${y}" y2="${y}" /><text
      x="${LEFT - 6}"
      y="${y + 4}"
      text-anchor="end"
    >
      ${text}
    </text>`;

const tick = (x: number, text: string, anchor: string): Markup =>
  html`<text x="${x}" y="${BOTTOM + 18}" text-anchor="${anchor}">${text}</text>`;

const mark = (x: number, text: string): Markup =>
  html`<line class="mark" x1="${x}" x2="${x}" y1="${TOP}" y2="${BOTTOM}"><title>${text}</title></line>`;

const pathOf = (points: readonly Point[], drawn: Plot['drawn']): string =>
  points
    .map(({ x, y }, index) => {
      if (index === 0) return `M${x} ${y}`;
      return drawn === 'steps' ? `H${x}V${y}` : `L${x} ${y}`;
    })
    .join('');
