/** The script that git bisect runs on each commit: it builds, then replays, and tells git what came of it. */

import { commandLineOf } from '../../terminal/shell-words.js';

/** What git takes for "this commit cannot be judged". */
export const CANNOT_TELL = 125;

export interface JudgeOptions {
  /** Absolute path of the counterexample. */
  readonly file: string;
  /** The user's own command for making a commit ready; left out: none for a command, npm for this package. */
  readonly build: string | undefined;
  /** Words of the replay: Node, the command and its options. */
  readonly replay: readonly string[];
}

/** For sh. 0: both sides agree; 1: they part; anything else cannot be judged. */
export const judgeScript = ({ file, build, replay }: JudgeOptions): string =>
  [
    ...(build === undefined ? [] : [`( ${build} ) >build.log 2>&1 || exit ${CANNOT_TELL}`]),
    `${commandLineOf([...replay, file])} >replay.log 2>&1`,
    'code=$?',
    '[ "$code" -eq 0 ] && exit 0',
    // Of another divergence than the one looked for, replay names the recorded one.
    `[ "$code" -eq 1 ] && ! grep -q '^recorded: ' replay.log && exit 1`,
    `exit ${CANNOT_TELL}`,
  ].join('\n');
