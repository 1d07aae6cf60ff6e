/** One line that says how a run is doing. */

import type { OutcomeKind } from '../../model/vocabulary/index.js';
import type { Tally } from '../../properties/tally.js';
import { compactCount, formatTime } from './numbers.js';

export interface Progress {
  readonly programs: number;
  readonly steps: number;
  readonly findings: number;
  /** Milliseconds since the start. */
  readonly elapsed: number;
  readonly left:
    { readonly kind: 'time'; readonly milliseconds: number } | { readonly kind: 'programs'; readonly count: number };
  readonly shrinking: boolean;
  /** How the run's accesses ended; nothing before the first program. */
  readonly tally: Tally | undefined;
}

const SHOWN_OUTCOMES = ['mapped', 'fault', 'mmio', 'killed'] as const satisfies readonly OutcomeKind[];

/** The most important parts, as many as fit into `columns`. */
export const progressLine = (progress: Progress, columns: number): string => fitting(partsOf(progress), columns);

/** The first of these parts, as many as fit into `columns`. */
export const fitting = (parts: readonly string[], columns: number): string => {
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}, ${part}`;
    if (longer.length > columns) break;
    line = longer;
  }
  return line;
};

/** In the order of importance. */
const partsOf = (progress: Progress): readonly string[] => {
  const { programs, steps, findings, elapsed, tally } = progress;
  const perSecond = elapsed <= 0 ? 0 : (steps / elapsed) * 1000;
  return [
    `${compactCount(programs)} programs`,
    ...(progress.shrinking ? ['shrinking'] : []),
    `${findings} found`,
    leftOf(progress),
    `${compactCount(perSecond)} steps/s`,
    ...(tally === undefined ? [] : SHOWN_OUTCOMES.map((kind) => `${kind} ${shareOf(tally, kind)}`)),
  ];
};

const leftOf = ({ left }: Progress): string =>
  left.kind === 'time' ? `${formatTime(Math.max(0, left.milliseconds))} left` : `${compactCount(left.count)} to go`;

const shareOf = (tally: Tally, kind: OutcomeKind): string => {
  const accesses = SHOWN_OUTCOMES.reduce((sum, each) => sum + tally.outcomesOf('access', each), 0);
  return accesses === 0 ? '-' : `${Math.round((tally.outcomesOf('access', kind) / accesses) * 100)}%`;
};
