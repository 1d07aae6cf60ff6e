/** Runs stored findings again: each must still show, or no longer show, what it was kept for. */

import { BadInput } from '../formats/index.js';
import { keepsContract } from '../contract.js';
import type { Divergence } from '../divergence.js';
import { SCREEN_DISAGREES, signatureOf } from '../divergence.js';
import type { Sought } from '../judging.js';
import { judgeOf } from '../judging.js';
import type { Invariant } from '../invariants/invariant.js';
import { INVARIANTS } from '../invariants/invariants.js';
import type { SubjectSettings } from '../subjects/subject-names.js';
import { CommandNotAllowed, IMPL, MODEL, subjectNamed } from '../subjects/subject-names.js';
import { whyNotRun } from '../subjects/scope.js';
import type { Subject } from '../subjects/subject.js';
import type { Finding } from '../finding.js';
import { FEWEST_RERUNS } from '../finding.js';
import type { CorpusFile, StoredFinding } from './store.js';
import { isReadable } from './store.js';

/**
 * `as-recorded`: all is well. `diverges`: a subject that should agree does not. `stale`: the subject no longer diverges as recorded.
 * `unreadable`: the file holds no finding, or names something that does not exist. `not-run`: it names a command that the user has not
 * allowed. `unsupported`: its program needs what a side does not support.
 */
export const VERDICTS = ['as-recorded', 'diverges', 'stale', 'unreadable', 'not-run', 'unsupported'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Checked {
  readonly file: string;
  readonly verdict: Verdict;
  /** One sentence. */
  readonly reason: string;
}

export interface RegressOptions extends SubjectSettings {
  /** Resolves the names of the recorded ones; left out: the registry does. */
  readonly named?: typeof subjectNamed;
  /** Checks this subject instead of the recorded ones: it must agree with the reference on every program. */
  readonly subject?: Subject;
}

/** Checks one file of the corpus. */
export const checkStored = async (stored: CorpusFile, options: RegressOptions): Promise<Checked> => {
  const { file } = stored;
  if (!isReadable(stored)) return { file, verdict: 'unreadable', reason: stored.problem };
  try {
    return { file, ...(await checkFinding(stored, file, options)) };
  } catch (error) {
    if (error instanceof BadInput) return { file, verdict: 'unreadable', reason: error.message };
    if (error instanceof CommandNotAllowed) return { file, verdict: 'not-run', reason: error.message };
    throw error;
  }
};

type Judgement = Omit<Checked, 'file'>;

const checkFinding = async (finding: Finding, file: string, options: RegressOptions): Promise<Judgement> => {
  const { traffic, program } = finding.case;
  if (traffic === 'coherent' && !keepsContract(program)) {
    return {
      verdict: 'unreadable',
      reason: `${file}: traffic: the program breaks the contract of a coherent guest; write "hostile"`,
    };
  }
  const { named = subjectNamed } = options;
  const model = named(finding.reference, file, options);
  const subject = options.subject ?? named(finding.subject, file, options);
  const unsupported = await whyNotRun(
    [...(finding.before ?? []), program],
    [subject, model],
    finding.profile ?? 'lguest',
  );
  if (unsupported !== undefined) return { verdict: 'unsupported', reason: unsupported };
  if (options.subject !== undefined) return mustAgree(finding, subject, model);
  const own =
    finding.status === 'fixed' ? await mustAgree(finding, subject, model) : await mustDiverge(finding, subject, model);
  if (own.verdict !== 'as-recorded' || !isDefective(finding)) return own;
  return mustAgree(finding, IMPL, MODEL);
};

/** Its subject is impl with a defect, so sound impl can be checked too. */
const isDefective = ({ subject }: Finding): boolean => subject.startsWith('impl:');

const judge = async (
  finding: Finding,
  subject: Subject,
  model: Subject,
  invariants: readonly Invariant[],
  sought: Sought,
): Promise<Divergence | undefined> => {
  const judging = judgeOf({ model, subject, invariants, profile: finding.profile }, sought);
  try {
    let found = await judging.judge(finding.case, finding.before);
    // What the machine may be to blame for counts if it shows every time.
    for (let run = 1; run < FEWEST_RERUNS && found?.mayBeChance === true; run++)
      found = await judging.judge(finding.case, finding.before);
    return found;
  } finally {
    await judging.close();
  }
};

/** Whether any invariant is broken, the recorded one or another. Throws `BadInput` or `CommandNotAllowed` if a side cannot be run. */
export const stillDiverges = async (finding: StoredFinding, settings: SubjectSettings): Promise<boolean> => {
  const [subject, model] = [finding.subject, finding.reference].map((name) =>
    subjectNamed(name, finding.file, settings),
  );
  return (await judge(finding, subject, model, INVARIANTS, finding.divergence)) !== undefined;
};

const mustAgree = async (finding: Finding, subject: Subject, model: Subject): Promise<Judgement> => {
  const { invariant } = finding.divergence;
  // Not its place: before the end of input, too, the sides must agree.
  const found = await judge(finding, subject, model, INVARIANTS, { invariant });
  if (found === undefined) return { verdict: 'as-recorded', reason: `${subject.name} agrees with ${model.name}` };
  return { verdict: 'diverges', reason: `${subject.name} diverges from ${model.name}: ${signatureOf(found)}` };
};

const mustDiverge = async (finding: Finding, subject: Subject, model: Subject): Promise<Judgement> => {
  const { divergence } = finding;
  // Only its own invariant, because others may catch the same bug first; screening looks at the shadow by all of them.
  const own = INVARIANTS.filter(({ id }) => divergence.invariant === SCREEN_DISAGREES || id === divergence.invariant);
  const found = await judge(finding, subject, model, own, divergence);
  const recorded = signatureOf(finding.divergence);
  if (found === undefined) {
    return {
      verdict: 'stale',
      reason: `${subject.name} no longer diverges; if it was fixed, set "status" to "fixed", or remove such entries with "corpus prune --stale"`,
    };
  }
  const now = signatureOf(found);
  if (now !== recorded)
    return { verdict: 'stale', reason: `diverges with "${now}", not with "${recorded}" as recorded` };
  if (isDefective(finding)) return { verdict: 'as-recorded', reason: `${subject.name} diverges as recorded` };
  return { verdict: 'diverges', reason: `${subject.name} still diverges: ${recorded}` };
};
