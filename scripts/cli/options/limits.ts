/** What options may ask for at most: more is a slip of the finger. */

export const MOST_PROGRAMS = 10 ** 12;
export const MOST_SHARDS = 100_000;
/** Candidates tried to shrink a finding. */
export const MOST_TRIES = 10 ** 9;
