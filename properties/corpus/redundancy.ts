/** Which entries of a corpus say what a shorter one says already: the same finding, in the same subject. */

import { programHash } from '../formats/index.js';
import { signatureOf } from '../divergence.js';
import type { Finding } from '../finding.js';

/** What two entries of one finding share. */
export const findingOf = ({ subject, reference, divergence }: Finding): string =>
  [subject, reference, signatureOf(divergence)].join('\n');

const lengthOf = ({ case: { program } }: Finding): number => program.steps.length;

/** Shorter programs first; of equals the hash decides, so that the order of reading does not. */
export const byWorth = (one: Finding, other: Finding): number =>
  lengthOf(one) - lengthOf(other) || compare(programHash(one.case.program), programHash(other.case.program));

const compare = (one: string, other: string): number => Number(one > other) - Number(one < other);

/** All but the best of each finding, in the order given. */
export const redundant = <Kept extends { readonly entry: Finding }>(stored: readonly Kept[]): readonly Kept[] => {
  const best = new Map<string, Kept>();
  for (const each of stored) {
    const finding = findingOf(each.entry);
    const other = best.get(finding);
    if (other === undefined || byWorth(each.entry, other.entry) < 0) best.set(finding, each);
  }
  return stored.filter((each) => best.get(findingOf(each.entry)) !== each);
};
