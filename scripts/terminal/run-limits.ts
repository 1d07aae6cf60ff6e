/** When a run ends, and how much of it is left. */

import type { Progress } from './progress-line.js';

/** The run ends with whichever comes first. */
export interface Limits {
  /** Milliseconds; may be infinite. */
  readonly time: number;
  /** May be infinite. */
  readonly programs: number;
}

/** `defaultTime` holds, in milliseconds, where nothing is asked for. */
export const limitsOf = ({ time, programs }: Partial<Limits>, defaultTime: number): Limits => ({
  time: time ?? (programs === undefined ? defaultTime : Infinity),
  programs: programs ?? Infinity,
});

export const leftOf = ({ time, programs }: Limits, run: Pick<Progress, 'elapsed' | 'programs'>): Progress['left'] =>
  time === Infinity
    ? { kind: 'programs', count: programs - run.programs }
    : { kind: 'time', milliseconds: time - run.elapsed };
