import type { OutcomeKind } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import { differenceOf, describe } from './outcome-difference.js';
import type { Invariant, Moment, Stage, Verdict } from './invariant.js';
import { HELD, VACUOUS, violation } from './invariant.js';

/** The comparison that the harness exists for. */
export const translation: Invariant = {
  id: 'translation',
  statement: 'Both sides give every step the same outcome: the same address, fault code, device access or answer.',
  source: 'machine.md 3; formats.md, Trace',
  exercisedBy:
    'a step that answers more than ok, and whose answer is not another invariant’s (killed, stuck, host-bug)',
  looksAt: 'observations',
  contract: 'any',
  stages: ['create', ...OPS, 'destroy'],
  outcomes: ['created', 'no-memory', 'initialized', 'mapped', 'fault', 'mmio', 'physical', 'destroyed', 'absent'],
  watch: () => new TranslationWatch(),
};

class TranslationWatch {
  /** After a host bug, which is another invariant's, every step is halted. */
  private broken = false;

  begin(): void {
    this.broken = false;
  }

  after({ stage, reference, subject, referenceKind, subjectKind }: Moment): Verdict {
    if (subjectKind === 'host-bug') this.broken = true;
    if (this.broken || isKill(stage, referenceKind) || isKill(stage, subjectKind)) return VACUOUS;
    // `progress` tells it.
    if (subjectKind === 'stuck' && stage === 'access') return VACUOUS;
    const expected = reference.outcome;
    const actual = subject.outcome;
    const difference = differenceOf(expected, actual);
    if (difference !== undefined) return violation('outcome', describe(expected), describe(actual), difference);
    return referenceKind === 'ok' || referenceKind === 'dead' ? VACUOUS : HELD;
  }
}

/** A kill is `kill-decision`’s, at a step; elsewhere nobody can be killed. */
const isKill = (stage: Stage, kind: OutcomeKind): boolean =>
  kind === 'killed' && stage !== 'create' && stage !== 'destroy';
