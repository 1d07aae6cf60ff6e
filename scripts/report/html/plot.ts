/** A plot: a small line in SVG. */

import { compactCount } from '../../terminal/numbers.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A line, and how it is drawn: `steps` hold their value until the next point, `dots` has one at each, and `dashed` is a forecast. */
export interface Curve {
  readonly drawn: 'line' | 'steps' | 'dots' | 'dashed';
  /** `text`: what the dot says; `isPartial`: it is hollow. */
  readonly points: readonly (Point & { readonly text?: string; readonly isPartial?: boolean })[];
  /** Written at its end, where there are several. */
  readonly name?: string;
}

interface Plot {
  readonly title: string;
  /** What the plot shows, in a sentence. */
  readonly description: string;
  readonly curves: readonly Curve[];
  readonly textOfX: (x: number) => string;
  /** As counts, if it is left out. */
  readonly textOfY?: (y: number) => string;
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
/** Letters. */
const LONG_TICK = 8;

/** Rounds up to 1, 2, 2.5 or 5 times a power of ten. */
const roundUp = (value: number): number => {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 2.5, 5].find((factor) => factor * power >= value) ?? 10);
};

export const plot = ({ title, description, curves, textOfX, textOfY = compactCount, marks }: Plot): Markup => {
  const all = curves.flatMap(({ points }) => points);
  const mostX = Math.max(1, ...all.map(({ x }) => x));
  const step = roundUp(Math.max(TICKS, ...all.map(({ y }) => y)) / TICKS);
  const place = ({ x, y }: Point): Point => ({
    x: fixed(LEFT + (x / mostX) * (RIGHT - LEFT)),
    y: fixed(BOTTOM - (y / (step * TICKS)) * (BOTTOM - TOP)),
  });
  const rows = Array.from({ length: TICKS + 1 }, (_, index) => index * step);
  const columns = Array.from({ length: TICKS + 1 }, (_, index) => (index / TICKS) * mostX);
  return html`<figure class="plot">
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: ${description}">
      ${rows.map((y) => gridLine(place({ x: 0, y }).y, textOfY(y)))}
      ${ticksOf(columns.map(textOfX)).map((index) => {
        const x = columns[index];
        return tick(place({ x, y: 0 }).x, textOfX(x), anchorOf(index));
      })}
      ${marks.map(({ x, text }) => mark(place({ x, y: 0 }).x, text))} ${curves.map((curve) => curveView(curve, place))}
    </svg>
    <p class="lead">${description}</p>
  </figure>`;
};

/** Which of the texts are written: each once, and of long ones every other, for want of room. */
const ticksOf = (texts: readonly string[]): readonly number[] => {
  const every = Math.max(...texts.map(({ length }) => length)) > LONG_TICK ? 2 : 1;
  return [...texts.keys()].filter(
    (index) => index % every === 0 && (index === 0 || texts[index - every] !== texts[index]),
  );
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

const curveView = ({ drawn, points, name }: Curve, place: (point: Point) => Point): Markup => {
  const last = points.at(-1);
  return html`<path class="curve${drawn === 'dashed' ? ' forecast' : ''}" d="${pathOf(points.map(place), drawn)}" />
    ${drawn === 'dots' ? points.map((point) => dot(point, place(point))) : undefined}
    ${name === undefined || last === undefined ? undefined : nameAt(place(last), name)}`;
};

const dot = ({ text, isPartial }: Curve['points'][number], { x, y }: Point): Markup =>
  html`<circle class="dot${isPartial === true ? ' partial' : ''}" cx="${x}" cy="${y}" r="3.5"
    ><title>${text}</title></circle
  >`;

/** Above the end of the curve, and within the plot. */
const nameAt = ({ x, y }: Point, name: string): Markup =>
  html`<text x="${x}" y="${Math.max(TOP, y - 8)}" text-anchor="${x > (LEFT + RIGHT) / 2 ? 'end' : 'start'}"
    >${name}</text
  >`;

const pathOf = (points: readonly Point[], drawn: Curve['drawn']): string =>
  points
    .map(({ x, y }, index) => {
      if (index === 0) return `M${x} ${y}`;
      return drawn === 'steps' ? `H${x}V${y}` : `L${x} ${y}`;
    })
    .join('');
