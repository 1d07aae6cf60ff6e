import type { ProgramOptions } from '../../../properties/generators/index.js';

/** What a process is given to run: programs of a campaign. */
export interface Job extends ProgramOptions {
  readonly campaign: string;
  /** Their numbers in the campaign. */
  readonly programs: readonly number[];
  /** Run the subject a second time, as `determinism` needs it. */
  readonly twice: boolean;
}
