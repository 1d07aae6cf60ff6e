import type { OutcomeKind } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import { compareOutcomes } from './outcome-difference.js';
import type { Dimension } from './situations/grid.js';
import { ACCESS, ADDRESSING, ANSWER, PAGING, answerUnreachable } from './situations/dimensions.js';
import type { Invariant, Verdict } from './invariant.js';
import { HELD, VACUOUS } from './invariant.js';
import type { Moment, Stage } from './moment.js';

/** Outcomes of creation, `init` and `destroy` alone. */
const ENDS_OF_LIFE: readonly OutcomeKind[] = ['created', 'no-memory', 'initialized', 'destroyed', 'absent'];

const ENDS: Dimension = {
  name: 'answer',
  values: ENDS_OF_LIFE,
  of: ({ subjectKind }) => Math.max(ENDS_OF_LIFE.indexOf(subjectKind), 0),
};

const ANSWERS_AT: Readonly<Record<string, readonly string[]>> = {
  create: ['created', 'no-memory'],
  init: ['initialized', 'absent'],
  destroy: ['destroyed', 'absent'],
};

/** The comparison that the harness exists for. */
export const translation: Invariant = {
  id: 'translation',
  statement: 'Both sides give every step the same outcome: the same address, fault code, device access or answer.',
  source: 'machine.md 3; formats.md, Trace',
  exercisedBy:
    'a step that answers more than ok, and whose answer is not another invariant’s (killed, stuck, host-bug)',
  harms: 'guest',
  looksAt: ['outcome'],
  contract: 'any',
  ofRacy: false,
  stages: ['create', ...OPS, 'destroy'],
  outcomes: ['created', 'no-memory', 'initialized', 'mapped', 'fault', 'mmio', 'physical', 'destroyed', 'absent'],
  situations: [
    {
      name: 'an access',
      stages: ['access'],
      dimensions: [PAGING, ACCESS, ADDRESSING, ANSWER],
      when: ({ subjectKind, config }) => subjectKind !== 'absent' && config.features === undefined,
      unreachable: (cell) => (cell.answer === 'killed' ? 'a kill is for kill-decision' : answerUnreachable(cell)),
    },
    { name: 'the host asks', stages: ['guest-pa'], dimensions: [PAGING, ADDRESSING] },
    {
      name: 'a life’s ends',
      stages: ['create', 'init', 'destroy'],
      dimensions: [ENDS, PAGING],
      unreachable: ({ step, answer }) => (ANSWERS_AT[step].includes(answer) ? undefined : 'another step answers so'),
    },
  ],
  watch: () => new TranslationWatch(),
};

class TranslationWatch {
  /** `host-intact` reported a host bug, after which every step is halted. */
  private broken = false;

  begin(): void {
    this.broken = false;
  }

  readonly after = ({ stage, model, subject, modelKind, subjectKind }: Moment): Verdict => {
    if (subjectKind === 'host-bug') this.broken = true;
    if (this.broken || isKill(stage, modelKind) || isKill(stage, subjectKind)) return VACUOUS;
    // `progress` reports it.
    if (subjectKind === 'stuck' && stage === 'access') return VACUOUS;
    const found = compareOutcomes(model.outcome, subject.outcome);
    if (found !== undefined) return found;
    return modelKind === 'ok' || modelKind === 'dead' ? VACUOUS : HELD;
  };
}

/** A kill at a step, which `kill-decision` reports. Elsewhere no guest can be killed. */
const isKill = (stage: Stage, kind: OutcomeKind): boolean =>
  kind === 'killed' && stage !== 'create' && stage !== 'destroy';
