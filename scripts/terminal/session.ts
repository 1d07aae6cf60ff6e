/** One call of the command: its output, its colours, and its exit code. */

import picocolors from 'picocolors';
import { EventLoopYield } from './event-loop-yield.js';
import type { ExitCode } from './exit-codes.js';
import { EXIT } from './exit-codes.js';
import { terminalLines } from './printable.js';
import { commandLineOf } from './shell-words.js';
import type { Surroundings } from './surroundings.js';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** A line at the bottom of the terminal that must make way for text. */
export interface Overlay {
  clear(): void;
}

/** The reader has caught up, or is gone. */
const ENDS_OF_WAITING = ['drain', 'close', 'error'] as const;

export class Session {
  readonly surroundings: Surroundings;
  exitCode: ExitCode = EXIT.clean;
  overlay: Overlay | undefined = undefined;
  colors: Colors;
  private readonly eventLoop: EventLoopYield;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
    this.eventLoop = new EventLoopYield(surroundings.monotonic);
    this.colors = picocolors.createColors(wantsColors(surroundings));
  }

  /** Columns of the terminal that shows the output; text that goes elsewhere is not wrapped. */
  get width(): number {
    const { isTTY, columns } = this.surroundings.stdout;
    return isTTY === true && columns !== undefined && columns > 0 ? columns : Infinity;
  }

  /** The reader of the output is gone. */
  get unread(): boolean {
    return this.surroundings.unread();
  }

  /** A command line of ours, as the user can paste it. */
  command(...words: readonly string[]): string {
    // npm puts its variables into the environment of what npx and its scripts start.
    const prefix = this.surroundings.env['npm_command'] === undefined ? [] : ['npx'];
    return commandLineOf([...prefix, 'shadowdiff', ...words]);
  }

  withoutColors(): void {
    this.colors = picocolors.createColors(false);
  }

  /** Writes a line to standard output. */
  print(line = ''): void {
    this.overlay?.clear();
    if (!this.unread) this.surroundings.stdout.write(this.shown(line));
  }

  /** Writes a line to standard output, and waits if its reader is slow. Lets signals through between two lines. */
  async stream(line: string): Promise<void> {
    await this.eventLoop.pause();
    const { stdout } = this.surroundings;
    if (this.unread || stdout.write(this.shown(line))) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of ENDS_OF_WAITING) stdout.off(event, done);
        resolve();
      };
      for (const event of ENDS_OF_WAITING) stdout.on(event, done);
    });
  }

  /** Writes a line to standard error. */
  complain(line: string): void {
    this.overlay?.clear();
    this.surroundings.stderr.write(this.shown(line));
  }

  /** Whatever the line is made of, it cannot command the terminal. */
  private shown(line: string): string {
    return `${terminalLines(line, this.colors.isColorSupported)}\n`;
  }
}

/** https://no-color.org, and FORCE_COLOR for output piped into a pager. */
const wantsColors = ({ stdout, env }: Surroundings): boolean => {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '') return env['FORCE_COLOR'] !== '0';
  return stdout.isTTY === true && env['TERM'] !== 'dumb';
};
