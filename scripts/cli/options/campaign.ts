import { InvalidArgumentError } from 'commander';

const LONGEST = 100;

/** The name of a campaign: any word that can be printed and typed again. */
export const campaignName = (text: string): string => {
  if (/^[\x21-\x7e]+$/.test(text) && text.length <= LONGEST) return text;
  throw new InvalidArgumentError(`Give 1 to ${LONGEST} ASCII letters, digits or signs, without blanks.`);
};
