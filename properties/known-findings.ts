/**
 * Findings that a team knows of and has not mended: they are counted and do not fail a run, until they expire. A file of them is
 * written by hand, so that every line has a reason and an owner.
 */

import { z } from 'zod';
import { BadInput, readJson } from './formats/index.js';

export const KNOWN_FORMAT = 'shadowdiff-known/1';

export interface KnownFinding {
  readonly signature: string;
  readonly reason: string;
  readonly owner: string;
  /** The last day on which it does not fail a run: YYYY-MM-DD, UTC. */
  readonly expires: string;
}

const words = z.string().min(1);
const entry = z.strictObject({
  signature: words,
  reason: words,
  owner: words,
  expires: z.iso.date(),
});
const file = z.strictObject({ format: z.literal(KNOWN_FORMAT), findings: z.array(entry) });

/** Reads a file of known findings. Throws `BadInput`, naming the field and what to write there. */
export const parseKnownFindings = (text: string, source: string): readonly KnownFinding[] => {
  const result = file.safeParse(readJson(text, source, 'file'));
  if (!result.success) throw new BadInput(source, ...problemOf(result.error));
  const { findings } = result.data;
  const seen = new Set<string>();
  for (const { signature } of findings) {
    if (seen.has(signature)) throw new BadInput(source, `"${signature}" is there twice; remove one`);
    seen.add(signature);
  }
  return findings;
};

const FIXES: Readonly<Record<string, string>> = {
  format: `write "${KNOWN_FORMAT}"`,
  signature: 'write the signature as the run printed it',
  reason: 'write why it is not fixed yet',
  owner: 'write the person or team responsible',
  expires: 'write the last day as "YYYY-MM-DD"',
};

const problemOf = ({ issues }: z.ZodError): [string, { place: string }] => {
  const issue = issues[0];
  const place = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .slice(1);
  const field = String(issue.path.at(-1) ?? '');
  const fix = FIXES[field] ?? `write {"format":"${KNOWN_FORMAT}","findings":[{signature, reason, owner, expires}]}`;
  return [
    `${issue.code === 'unrecognized_keys' ? 'unknown field' : 'missing or malformed'}; ${fix}`,
    { place: place || 'file' },
  ];
};

/** `today`: YYYY-MM-DD, UTC. */
export const isExpired = ({ expires }: KnownFinding, today: string): boolean => expires < today;
