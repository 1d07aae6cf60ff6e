/** What a run tolerates: known findings that have not expired, each tied to the shape of its counterexample (namesakes.ts). */

import { dirname, resolve } from 'node:path';
import { parseCounterexample } from '../../properties/corpus/counterexample.js';
import { readTextFile } from '../../properties/corpus/store.js';
import { signatureOf } from '../../properties/divergence.js';
import { BadInput } from '../../properties/formats/index.js';
import type { KnownFinding, TiedFinding } from '../../properties/known-findings.js';
import { isExpired, parseKnownFindings } from '../../properties/known-findings.js';
import type { Shape } from '../../properties/namesakes.js';
import { shapeOf } from '../../properties/namesakes.js';

/** The shapes that are tolerated of each signature. Undefined: that of the first program which a run finds. */
export type Tolerated = ReadonlyMap<string, readonly (Shape | undefined)[]>;

export const toleratedOn = (day: Date, known: readonly TiedFinding[]): Tolerated => {
  const tolerated = new Map<string, (Shape | undefined)[]>();
  for (const { entry, shape } of known) {
    if (isExpired(entry, day.toISOString().slice(0, 10))) continue;
    tolerated.set(entry.signature, [...(tolerated.get(entry.signature) ?? []), shape]);
  }
  return tolerated;
};

/** Reads the file of `--known`, if there is one, and the counterexamples that it names. Throws `BadInput`. */
export const readKnown = async (path: string | undefined): Promise<readonly TiedFinding[]> => {
  if (path === undefined) return [];
  const findings: TiedFinding[] = [];
  for (const entry of parseKnownFindings(await readTextFile(path), path))
    findings.push({ entry, shape: await shapeOfKnown(entry, path) });
  return findings;
};

const shapeOfKnown = async ({ signature, counterexample }: KnownFinding, path: string): Promise<Shape | undefined> => {
  if (counterexample === undefined) return undefined;
  const file = resolve(dirname(path), counterexample);
  const { divergence, case: found } = parseCounterexample(await readTextFile(file), file);
  if (signatureOf(divergence) !== signature)
    throw new BadInput(path, `${file} shows "${signatureOf(divergence)}"; name a counterexample of "${signature}"`);
  return shapeOf(found.program);
};
