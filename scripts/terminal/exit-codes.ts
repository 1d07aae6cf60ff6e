/** The exit codes of the command, and what they mean. */

export const EXIT = {
  clean: 0,
  divergence: 1,
  badInput: 2,
  inconclusive: 3,
  internal: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code means, for `--help`. */
export const EXIT_MEANINGS: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [EXIT.clean, 'clean'],
  [EXIT.divergence, 'divergence or regression'],
  [EXIT.badInput, 'usage or bad input'],
  [EXIT.inconclusive, 'inconclusive: too little was tested, or a command in a file was not run'],
  [EXIT.internal, 'internal error: a bug in shadowdiff'],
  [EXIT.interrupted, 'interrupted'],
];
