/** Runs a finding again to explain it step by step, or gives the reason why that is not possible. */

import { isWorkerFailure } from '../../../properties/campaign/events.js';
import { signatureOf } from '../../../properties/divergence.js';
import { explainFinding } from '../../../properties/explain/explain.js';
import type { Explanation } from '../../../properties/explain/explanation.js';
import type { Finding } from '../../../properties/finding.js';
import { BadInput } from '../../../properties/formats/index.js';
import { INVARIANTS, invariantNamed } from '../../../properties/invariants/invariants.js';
import type { SubjectSettings } from '../../../properties/subjects/subject-names.js';
import { CommandNotAllowed } from '../../../properties/subjects/subject-names.js';
import { EventLoopYield } from '../../terminal/event-loop-yield.js';
import type { Session } from '../../terminal/session.js';
import type { Sides } from '../../terminal/sides.js';
import { whyNotRun } from '../../../properties/subjects/scope.js';
import { closeSides, recordedSides, startSides } from '../../terminal/sides.js';
import type { BuiltReport, Counterexample } from '../document/build-report.js';
import { counterexampleOf } from '../document/build-report.js';
import type { FindingReport } from '../document/report-document.js';

/** What it takes to run the programs of a report again. */
export interface RerunOptions extends Omit<SubjectSettings, 'caseTimeout'> {
  readonly session: Session;
  /** Milliseconds; undefined for that of the run which found the program. */
  readonly caseTimeout: number | undefined;
}

/** The explanation of a finding, or the reason why there is none. */
export type Explained = { readonly explanation: Explanation } | { readonly unexplained: string };

export const explainAgain = async (
  finding: FindingReport,
  report: BuiltReport,
  rerun: RerunOptions,
): Promise<Explained> => {
  const counterexample = counterexampleOf(report, finding);
  if (counterexample === undefined)
    return { unexplained: 'Its program is not stored with these results, so it cannot be run.' };
  const { finding: stored } = counterexample;
  if (isWorkerFailure(stored.divergence))
    return { unexplained: 'It kills or hangs the process that runs it, so it was not run again.' };
  try {
    return await runAgain(counterexample, finding, rerun);
  } catch (error) {
    if (error instanceof CommandNotAllowed) {
      return {
        unexplained: `It was not run again, because it names a command. Recorded are the subject ${stored.subject} and the reference ${stored.reference}; if you trust them, make the report with --allow-exec.`,
      };
    }
    if (error instanceof BadInput) return { unexplained: `It cannot be run here: ${error.message}.` };
    throw error;
  }
};

const runAgain = async (
  { finding: stored, caseTimeout: ofRun }: Counterexample,
  { file, signature }: FindingReport,
  { session, allowed, startTimeout, caseTimeout = ofRun }: RerunOptions,
): Promise<Explained> => {
  const sides = recordedSides({ ...stored, source: file ?? '' }, session, { allowed, startTimeout, caseTimeout });
  const eventLoop = new EventLoopYield(session.surroundings.monotonic);
  try {
    await startSides(sides);
    const why = await whyNotRun(
      [...(stored.before ?? []), stored.case.program],
      [sides.subject, sides.model],
      sides.profile,
    );
    if (why !== undefined) return { unexplained: `It cannot be run here: ${why}.` };
    const explanation = await explanationOf(stored, signature, sides, () => eventLoop.pause());
    if (explanation !== undefined) return { explanation };
    const unexplained = `Run again, ${stored.subject} agrees with ${stored.reference}: either it has been fixed, or the finding is flaky.`;
    return { unexplained };
  } finally {
    await closeSides(sides);
  }
};

/** Another invariant may catch the same bug first; then the program is run again with the finding's own invariant alone. */
const explanationOf = async (
  { case: found, before, divergence: sought }: Finding,
  signature: string,
  sides: Sides,
  pause: () => Promise<void> | undefined,
): Promise<Explanation | undefined> => {
  const explanation = await explainFinding(found, { ...sides, invariants: INVARIANTS, sought, before, pause });
  const own = invariantNamed(sought.invariant);
  if (explanation === undefined || own === undefined || signatureOf(explanation.divergence) === signature)
    return explanation;
  return (await explainFinding(found, { ...sides, invariants: [own], sought, before, pause })) ?? explanation;
};
