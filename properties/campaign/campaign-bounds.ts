/** What a campaign may ask for at most. Options and the files of a run have the same bounds: more is a slip of the finger, or crafted. */

/** A guest can set up its tables in this many steps. */
export const FEWEST_STEPS = 48;
export const MOST_STEPS = 100_000;

export const MOST_PROGRAMS = 10 ** 12;
export const MOST_SHARDS = 100_000;
export const MOST_JOBS = 1024;
/** Candidates tried to shrink a finding. */
export const MOST_TRIES = 10 ** 9;
/** Kinds of finding after which a campaign ends. */
export const MOST_FINDINGS = 10_000;
/** Milliseconds: a day. Timers hold no more than 2³¹−1. */
export const LONGEST_DURATION = 24 * 3_600_000;

const LONGEST_NAME = 100;

/** The name of a campaign: any word that can be printed and typed again. */
export const isCampaignName = (text: string): boolean => /^[\x21-\x7e]+$/.test(text) && text.length <= LONGEST_NAME;

export const CAMPAIGN_NAME_RULE = `1 to ${LONGEST_NAME} ASCII letters, digits or signs, without blanks`;
