/** Whether what a machine in this process answered is an observation, checked after each of its calls. */

import type { Observation, Outcome, SwitcherReferences } from '../../model/vocabulary/index.js';
import { OUTCOME_KINDS, bareOutcome, killedFor } from '../../model/vocabulary/index.js';
import { shownValue } from '../formats/index.js';
import { bareObservation, noSwitcher } from '../formats/trace-contents.js';
import { NotAnObservation } from './foreign-machine.js';

const A_WORD = 'give a whole number from 0 to 2³²−1';

/** The answer itself if it is whole; of a bare outcome only the outcome is taken. Throws `NotAnObservation`. */
export const checkedObservation = (answer: Observation, hostCpus: number): Observation => {
  if (!isObject(answer)) throw wrong('answer', answer, 'return an observation');
  const outcome = checkedOutcome(answer.outcome, 'outcome');
  if (answer.fresh !== undefined) checkedOutcome(answer.fresh, 'fresh');
  if (bareOutcome(outcome.kind)) return bareObservation(outcome, noSwitcher(hostCpus));
  checkReferences(answer);
  checkStores(answer);
  if (!isWord(answer.tables)) throw wrong('tables', answer.tables, A_WORD);
  checkSwitcher(answer.switcher, hostCpus);
  return answer;
};

const checkedOutcome = (outcome: Outcome, member: string): Outcome => {
  if (!isObject(outcome)) throw wrong(member, outcome, 'give an object with a kind');
  switch (outcome.kind) {
    case 'initialized':
      if (!isWord(outcome.reserved)) throw wrong(`${member}.reserved`, outcome.reserved, A_WORD);
      return outcome;
    case 'mapped':
    case 'mmio':
    case 'physical':
      if (!isWord(outcome.paddr)) throw wrong(`${member}.paddr`, outcome.paddr, A_WORD);
      return outcome;
    case 'fault':
      if (!isWord(outcome.code)) throw wrong(`${member}.code`, outcome.code, A_WORD);
      return outcome;
    case 'killed':
      checkText(outcome.reason, `${member}.reason`);
      // It may give the reason alone, as a trace does.
      return Array.isArray(outcome.numbers) ? outcome : killedFor(outcome.reason);
    case 'host-bug':
      checkText(outcome.reason, `${member}.reason`);
      return outcome;
    default:
      if (OUTCOME_KINDS.includes(outcome.kind)) return outcome;
      throw wrong(`${member}.kind`, outcome.kind, `give one of: ${OUTCOME_KINDS.join(', ')}`);
  }
};

const checkReferences = ({ references }: Observation): void => {
  if (!Array.isArray(references)) throw wrong('references', references, 'give a list');
  for (let index = 0; index < references.length; index++) {
    const change: unknown = references[index];
    if (!isObject(change) || !('page' in change && 'count' in change)) {
      throw wrong(`references[${index}]`, change, 'give an object with page and count');
    }
    if (!isWord(change.page)) throw wrong(`references[${index}].page`, change.page, A_WORD);
    if (!isWord(change.count)) throw wrong(`references[${index}].count`, change.count, A_WORD);
  }
};

const checkStores = ({ stores }: Observation): void => {
  if (!Array.isArray(stores)) throw wrong('stores', stores, 'give a list');
  for (let index = 0; index < stores.length; index++) {
    const change: unknown = stores[index];
    if (!isObject(change) || !('paddr' in change && 'value' in change)) {
      throw wrong(`stores[${index}]`, change, 'give an object with paddr and value');
    }
    if (!isWord(change.paddr)) throw wrong(`stores[${index}].paddr`, change.paddr, A_WORD);
    const { value } = change;
    if (!isObject(value) || !('low' in value && 'high' in value)) {
      throw wrong(`stores[${index}].value`, value, 'give an object with low and high');
    }
    if (!isWord(value.low)) throw wrong(`stores[${index}].value.low`, value.low, A_WORD);
    if (!isWord(value.high)) throw wrong(`stores[${index}].value.high`, value.high, A_WORD);
  }
};

const checkSwitcher = (switcher: SwitcherReferences, hostCpus: number): void => {
  if (!isObject(switcher)) throw wrong('switcher', switcher, 'give an object with text, state and registers');
  if (!isWord(switcher.text)) throw wrong('switcher.text', switcher.text, A_WORD);
  if (!isWord(switcher.registers)) throw wrong('switcher.registers', switcher.registers, A_WORD);
  const { state } = switcher;
  if (!Array.isArray(state)) throw wrong('switcher.state', state, 'give a list');
  if (state.length !== hostCpus) {
    throw new NotAnObservation(
      `switcher.state: it has ${state.length} members; give one for each of ${hostCpus} host CPUs`,
    );
  }
  for (let index = 0; index < state.length; index++)
    if (!isWord(state[index])) throw wrong(`switcher.state[${index}]`, state[index], A_WORD);
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isWord = (value: unknown): boolean => typeof value === 'number' && value >>> 0 === value;

const checkText = (value: unknown, member: string): void => {
  if (typeof value !== 'string') throw wrong(member, value, 'give a text');
};

const wrong = (member: string, value: unknown, remedy: string): NotAnObservation =>
  new NotAnObservation(`${member}: ${value === undefined ? 'missing' : `${shownValue(value)} is wrong`}; ${remedy}`);
