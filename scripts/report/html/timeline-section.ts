/** How each run progressed: its speed, and when it last reached something new. */

import { compactCount, counted, formatTime } from '../../terminal/numbers.js';
import type { ReportDocument, TimelineReport } from '../document/report-document.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';
import type { Point } from './plot.js';
import { plot } from './plot.js';

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
        curves: [{ drawn: 'line', points: speeds(milestones) }],
        textOfX: formatTime,
        marks: [],
      })}
      ${plot({
        title: 'Situations reached',
        description: noveltyText(milestones),
        curves: [
          {
            drawn: 'steps',
            points: milestones.map(({ milliseconds, situations }) => ({ x: milliseconds, y: situations })),
          },
        ],
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
