/** How a run is doing: one line, rewritten on a terminal, and elsewhere printed now and then or not at all; on standard error. */

import { createLogUpdate } from 'log-update';
import type { OutcomeKind } from '../../model/vocabulary/index.js';
import type { Tally } from '../../properties/tally.js';
import { compactCount, compactlyCounted, counted, formatTime } from './numbers.js';
import type { Overlay, Session } from './session.js';
import type { Output } from './surroundings.js';

/** Milliseconds between two looks. */
const ON_TERMINAL = 200;
const ELSEWHERE = 30_000;
const FALLBACK_WIDTH = 80;

export class ProgressDisplay implements Overlay {
  private readonly session: Session;
  private readonly lineOf: (columns: number) => string;
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly rewrite: ReturnType<typeof createLogUpdate> | undefined;

  /** `lineOf`: a line that says how the run is doing, in at most so many columns. `elsewhere`: how often it is printed without a terminal. */
  constructor(
    session: Session,
    lineOf: (columns: number) => string,
    elsewhere: 'now and then' | 'never' = 'now and then',
  ) {
    const { stderr } = session.surroundings;
    const terminal = isRewritable(stderr) && session.surroundings.env['TERM'] !== 'dumb';
    this.session = session;
    this.lineOf = lineOf;
    this.rewrite = terminal ? createLogUpdate(stderr, { showCursor: true }) : undefined;
    if (terminal || elsewhere === 'now and then')
      this.timer = setInterval(() => this.show(), terminal ? ON_TERMINAL : ELSEWHERE);
    if (terminal) session.overlay = this;
  }

  clear(): void {
    this.rewrite?.clear();
  }

  /** Takes the line away for good. */
  end(): void {
    clearInterval(this.timer);
    this.clear();
    this.session.overlay = undefined;
  }

  private show(): void {
    if (this.rewrite === undefined) return this.session.complain(this.lineOf(Infinity));
    // The last column stays free: some terminals wrap as soon as it is filled.
    const columns = (this.session.surroundings.stderr.columns ?? FALLBACK_WIDTH) - 1;
    this.rewrite(this.session.colors.dim(this.lineOf(columns)));
  }
}

/** A terminal of no rows or columns does not know its size, as those of some build servers: a line cannot be kept in its place there. */
const isRewritable = ({ isTTY, rows, columns }: Output): boolean => isTTY === true && rows !== 0 && columns !== 0;

/** Milliseconds since something new was reached, and until the next is to be expected; left out: not known. */
export interface Novelty {
  readonly since?: number;
  readonly next?: number;
}

export interface Progress {
  readonly programs: number;
  readonly steps: number;
  readonly findings: number;
  /** Milliseconds since the start. */
  readonly elapsed: number;
  /** Undefined once no more programs are tried. */
  readonly left:
    | { readonly kind: 'time'; readonly milliseconds: number }
    | { readonly kind: 'programs'; readonly count: number }
    | undefined;
  /** The steps of what is being shrunk, if any became smaller, and the milliseconds that are left for it, infinite without a limit. */
  readonly shrinking: { readonly steps: number | undefined; readonly left: number } | undefined;
  readonly situations?: Novelty;
  /** Left out for a subject that counts no edges of its own code. */
  readonly edges?: Novelty;
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
    compactlyCounted(programs, 'program'),
    ...(tally === undefined || tally.judged === tally.programs ? [] : [`${compactCount(tally.judged)} judged in full`]),
    ...(progress.shrinking === undefined ? [] : [shrinkingOf(progress.shrinking)]),
    `${findings} found`,
    ...(progress.left === undefined ? [] : [leftOf(progress.left)]),
    `${compactCount(perSecond)} steps/s`,
    ...noveltyOf('situation', progress.situations),
    ...noveltyOf('edge', progress.edges),
    ...(tally === undefined ? [] : SHOWN_OUTCOMES.map((kind) => `${kind} ${shareOf(tally, kind)}`)),
  ];
};

const shrinkingOf = ({ steps, left }: NonNullable<Progress['shrinking']>): string => {
  const details = [
    ...(steps === undefined ? [] : [counted(steps, 'step')]),
    ...(left === Infinity ? [] : [`${formatTime(left)} left`]),
  ];
  return details.length === 0 ? 'shrinking' : `shrinking (${details.join(', ')})`;
};

const noveltyOf = (what: 'situation' | 'edge', { since, next }: Novelty = {}): readonly string[] => [
  ...(since === undefined ? [] : [`last new ${what} ${formatTime(since)} ago`]),
  ...(next === undefined ? [] : [`next${since === undefined ? ` ${what}` : ''} in about ${formatTime(next)}`]),
];

const leftOf = (left: NonNullable<Progress['left']>): string =>
  left.kind === 'time' ? `${formatTime(Math.max(0, left.milliseconds))} left` : `${compactCount(left.count)} to go`;

const shareOf = (tally: Tally, kind: OutcomeKind): string => {
  const accesses = SHOWN_OUTCOMES.reduce((sum, each) => sum + tally.outcomesOf('access', each), 0);
  return accesses === 0 ? '-' : `${Math.round((tally.outcomesOf('access', kind) / accesses) * 100)}%`;
};
