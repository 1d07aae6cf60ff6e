/** Shows how a run is doing: one line rewritten on a terminal, a plain line now and then elsewhere. On standard error. */

import { createLogUpdate } from 'log-update';
import type { Overlay, Session } from './session.js';

/** Milliseconds between two looks. */
const ON_TERMINAL = 200;
const ELSEWHERE = 30_000;
const FALLBACK_WIDTH = 80;

export class ProgressDisplay implements Overlay {
  private readonly session: Session;
  private readonly lineOf: (columns: number) => string;
  private readonly timer: NodeJS.Timeout;
  private readonly rewrite: ReturnType<typeof createLogUpdate> | undefined;

  /** `lineOf`: a line that says how the run is doing, in at most so many columns. */
  constructor(session: Session, lineOf: (columns: number) => string) {
    const { stderr } = session.surroundings;
    const terminal = stderr.isTTY === true && session.surroundings.env['TERM'] !== 'dumb';
    this.session = session;
    this.lineOf = lineOf;
    this.rewrite = terminal ? createLogUpdate(stderr, { showCursor: true }) : undefined;
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
