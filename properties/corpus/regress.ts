/** Running stored counterexamples again: each must still say what it was kept for. */

import { BadInput } from '../formats/index.js';
import { keepsContract } from '../contract.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import { judgeOf } from '../judging.js';
import type { Invariant } from '../invariants/invariant.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { IMPL, MODEL, subjectNamed } from '../subjects/subject-names.js';
import type { Subject } from '../subjects/subject.js';
import type { Finding } from '../finding.js';
import type { Stored } from './store.js';

/**
 * `as-recorded`: nothing to worry about. `diverges`: a subject that should agree does not. `stale`: the subject no longer
 * diverges as recorded. `unreadable`: the file is no entry, or names something that does not exist.
 */
export const VERDICTS = ['as-recorded', 'diverges', 'stale', 'unreadable'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Checked {
  readonly path: string;
  readonly verdict: Verdict;
  /** One sentence. */
  readonly reason: string;
}

export interface RegressOptions {
  /** Checks this subject instead of the recorded ones: it must agree with the reference on every program. */
  readonly subject?: Subject;
  readonly caseTimeout: number;
}

/** Checks one file of the corpus. */
export const checkStored = async (stored: Stored, options: RegressOptions): Promise<Checked> => {
  const { path } = stored;
  if (stored.kind === 'unreadable') return { path, verdict: 'unreadable', reason: stored.problem };
  try {
    return { path, ...(await checkEntry(stored.entry, path, options)) };
  } catch (error) {
    if (error instanceof BadInput) return { path, verdict: 'unreadable', reason: error.message };
    throw error;
  }
};

type Judgement = Omit<Checked, 'path'>;

const checkEntry = async (entry: Finding, path: string, options: RegressOptions): Promise<Judgement> => {
  const { traffic, program } = entry.case;
  if (traffic === 'coherent' && !keepsContract(program)) {
    return {
      verdict: 'unreadable',
      reason: `${path}: traffic: the program breaks the contract of a coherent guest; write "hostile"`,
    };
  }
  const settings = { caseTimeout: options.caseTimeout };
  const reference = subjectNamed(entry.reference, path, settings);
  if (options.subject !== undefined) return mustAgree(entry, options.subject, reference);
  const subject = subjectNamed(entry.subject, path, settings);
  const own =
    entry.status === 'fixed'
      ? await mustAgree(entry, subject, reference)
      : await mustDiverge(entry, subject, reference);
  if (own.verdict !== 'as-recorded' || !isDefective(entry)) return own;
  return mustAgree(entry, IMPL, MODEL);
};

/** The recorded subject is our own machine with a defect, so that the sound one can be asked too. */
const isDefective = ({ subject }: Finding): boolean => subject.startsWith('impl:');

const judge = async (
  entry: Finding,
  subject: Subject,
  reference: Subject,
  invariants: readonly Invariant[],
): Promise<Divergence | undefined> => {
  const judging = judgeOf({ reference, subject, invariants }, entry.divergence.invariant);
  try {
    return await judging.judge(entry.case);
  } finally {
    await judging.close();
  }
};

/** Whether any invariant is broken, the recorded one or another. Throws `BadInput` if a side cannot be run. */
export const stillDiverges = async (entry: Finding, path: string, caseTimeout: number): Promise<boolean> => {
  const [subject, reference] = [entry.subject, entry.reference].map((name) =>
    subjectNamed(name, path, { caseTimeout }),
  );
  return (await judge(entry, subject, reference, INVARIANTS)) !== undefined;
};

const mustAgree = async (entry: Finding, subject: Subject, reference: Subject): Promise<Judgement> => {
  const found = await judge(entry, subject, reference, INVARIANTS);
  if (found === undefined) return { verdict: 'as-recorded', reason: `${subject.name} agrees with ${reference.name}` };
  return { verdict: 'diverges', reason: `${subject.name} diverges from ${reference.name}: ${signatureOf(found)}` };
};

const mustDiverge = async (entry: Finding, subject: Subject, reference: Subject): Promise<Judgement> => {
  // Its own invariant alone is asked: others may see the same bug, and be asked first.
  const own = INVARIANTS.filter(({ id }) => id === entry.divergence.invariant);
  const found = await judge(entry, subject, reference, own);
  const recorded = signatureOf(entry.divergence);
  if (found === undefined) {
    return {
      verdict: 'stale',
      reason: `${subject.name} no longer diverges; if it was mended, set "status" to "fixed"`,
    };
  }
  const now = signatureOf(found);
  if (now !== recorded)
    return { verdict: 'stale', reason: `diverges with "${now}", not with "${recorded}" as recorded` };
  if (isDefective(entry)) return { verdict: 'as-recorded', reason: `${subject.name} diverges as recorded` };
  return { verdict: 'diverges', reason: `${subject.name} still diverges: ${recorded}` };
};
