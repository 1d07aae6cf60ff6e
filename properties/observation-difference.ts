/** Whether two observations differ, field by field, without allocation: asked after every step of a program that is screened. */

import type {
  EntryChange,
  Observable,
  Observation,
  Outcome,
  OutcomeKind,
  ReferenceChange,
} from '../model/vocabulary/index.js';
import { bareOutcome, sameEntry } from '../model/vocabulary/index.js';
import { differenceOf } from './invariants/outcome-difference.js';

/** The first member in which two observations differ, or that no sound machine shows; undefined if there is none. */
export const differingMember = (model: Observation, subject: Observation): Observable | undefined => {
  // Read once: the lookup is slow, because outcomes have many shapes.
  const { kind } = subject.outcome;
  if (!sameOutcome(model.outcome, subject.outcome, kind) || kind === 'host-bug' || kind === 'stuck') return 'outcome';
  if (bareOutcome(kind)) return undefined;
  if (model.tables !== subject.tables) return 'tables';
  if (!sameReferences(model.references, subject.references)) return 'references';
  if (!sameStores(model.stores, subject.stores)) return 'stores';
  return sameSwitcher(model, subject) ? undefined : 'switcher';
};

/** `kind`: the subject's. The outcomes of most steps have a fast path. */
const sameOutcome = (model: Outcome, subject: Outcome, kind: OutcomeKind): boolean => {
  if (model.kind !== kind) return false;
  if (kind === 'ok') return true;
  if (kind === 'mapped') return (model as Mapped).paddr === (subject as Mapped).paddr;
  if (kind === 'fault') return (model as Fault).code === (subject as Fault).code;
  return differenceOf(model, subject) === undefined;
};

type Mapped = Extract<Outcome, { kind: 'mapped' }>;
type Fault = Extract<Outcome, { kind: 'fault' }>;

const sameReferences = (model: readonly ReferenceChange[], subject: readonly ReferenceChange[]): boolean => {
  if (model.length !== subject.length) return false;
  for (let i = 0; i < model.length; i++) {
    if (model[i].page !== subject[i].page || model[i].count !== subject[i].count) return false;
  }
  return true;
};

const sameStores = (model: readonly EntryChange[], subject: readonly EntryChange[]): boolean => {
  if (model.length !== subject.length) return false;
  for (let i = 0; i < model.length; i++) {
    if (model[i].paddr !== subject[i].paddr || !sameEntry(model[i].value, subject[i].value)) return false;
  }
  return true;
};

/** References on the Switcher's pages are the same. */
export const sameSwitcher = (model: Observation, subject: Observation): boolean => {
  const expected = model.switcher;
  const actual = subject.switcher;
  if (expected.text !== actual.text || expected.registers !== actual.registers) return false;
  for (let cpu = 0; cpu < expected.state.length; cpu++) if (expected.state[cpu] !== actual.state[cpu]) return false;
  return true;
};
