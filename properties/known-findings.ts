/**
 * Findings that a team knows of and has not mended: they are counted and do not fail a run, until they expire. A file of them is
 * written by hand, so that every line has a reason and an owner.
 */

import { z } from 'zod';
import { BadInput, quoted, readJson } from './formats/index.js';
import type { Shape } from './namesakes.js';

export const KNOWN_FORMAT = 'shadowdiff-known/1';

export interface KnownFinding {
  readonly signature: string;
  /** File of a program that shows it, seen from the file of known findings. Left out: the first program that a run finds stands for it. */
  readonly counterexample?: string;
  readonly reason: string;
  readonly owner: string;
  /** The last day on which it does not fail a run: YYYY-MM-DD, UTC. */
  readonly expires: string;
}

/** A known finding, and the shape of the program in its `counterexample`. */
export interface TiedFinding {
  readonly entry: KnownFinding;
  readonly shape: Shape | undefined;
}

const words = z.string().min(1);
const entry = z.strictObject({
  signature: words,
  counterexample: z.exactOptional(words),
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
  for (const { signature, counterexample } of findings) {
    const name = nameOf(signature, counterexample);
    if (seen.has(name)) throw new BadInput(source, `${name} is there twice; remove one`);
    seen.add(name);
  }
  return findings;
};

const nameOf = (signature: string, counterexample: string | undefined): string =>
  `"${signature}"${counterexample === undefined ? '' : ` with ${quoted(counterexample)}`}`;

const FIXES: Readonly<Record<string, string>> = {
  format: `write "${KNOWN_FORMAT}"`,
  signature: 'write the signature as the run printed it',
  counterexample: 'write the path of a counterexample, seen from this file, or leave it out',
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
  const fix =
    FIXES[field] ??
    `write {"format":"${KNOWN_FORMAT}","findings":[{signature, counterexample, reason, owner, expires}]}`;
  return [
    `${issue.code === 'unrecognized_keys' ? 'unknown field' : 'missing or malformed'}; ${fix}`,
    { place: place || 'file' },
  ];
};

/** `today`: YYYY-MM-DD, UTC. */
export const isExpired = ({ expires }: KnownFinding, today: string): boolean => expires < today;
