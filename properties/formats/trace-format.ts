/** Traces in JSON: what a subject answers to a program (formats.md, Trace). */

import type { Observation, Outcome, Program, SwitcherReferences, Trace } from '../../model/vocabulary/index.js';
import { bareOutcome } from '../../model/vocabulary/index.js';
import { naturalNumber } from './fields.js';
import { formatHex, formatHexEntry } from './hex.js';
import { readJson } from './json-text.js';
import type { Path } from './problems.js';
import { Problems } from './problems.js';
import type { ObservationJson, OutcomeJson, TraceJson } from './trace-schema.js';
import { effectsSchema, entryChangeSchema, observationSchema, referenceSchema, traceSchema } from './trace-schema.js';

/** What an answer is read against. */
interface Reading {
  readonly hostCpus: number;
  readonly problems: Problems;
}

/** Of a bare outcome nothing else is observed, whatever else was said. */
const bareObservation = (outcome: Outcome, hostCpus: number): Observation => ({
  outcome,
  references: [],
  stores: [],
  tables: 0,
  switcher: { text: 0, state: Array.from({ length: hostCpus }, () => 0), registers: 0 },
});

interface SwitcherDocument {
  readonly text: number;
  readonly state: readonly unknown[];
  readonly registers: number;
}

const readSwitcher = (switcher: SwitcherDocument, path: Path, { hostCpus, problems }: Reading): SwitcherReferences => {
  const { text, state, registers } = switcher;
  if (state.length !== hostCpus) {
    problems.add([...path, 'state'], `${state.length} counts for ${hostCpus} host CPUs; give one for each`);
    return { text, state: [], registers };
  }
  return { text, state: problems.readEach<number>(naturalNumber, state, [...path, 'state']), registers };
};

const readObservation = (value: unknown, path: Path, reading: Reading): Observation | undefined => {
  const { hostCpus, problems } = reading;
  const outcome = problems.read(observationSchema, value, path)?.outcome;
  if (outcome === undefined) return undefined;
  if (bareOutcome(outcome.kind)) return bareObservation(outcome, hostCpus);
  const effects = problems.read(effectsSchema, value, path);
  if (effects === undefined) return undefined;
  return {
    outcome,
    references: problems.readEach(referenceSchema, effects.references, [...path, 'references']),
    stores: problems.readEach(entryChangeSchema, effects.stores, [...path, 'stores']),
    tables: effects.tables,
    switcher: readSwitcher(effects.switcher, [...path, 'switcher'], reading),
  };
};

const readSteps = (list: readonly unknown[], length: number, reading: Reading): readonly Observation[] => {
  const { problems } = reading;
  if (list.length !== length) {
    problems.add(['steps'], `${list.length} answers to ${length} steps; answer every step once, in order`);
    return [];
  }
  const steps: Observation[] = [];
  for (let index = 0; index < length && !problems.isFull; index++) {
    const observation = readObservation(list[index], ['steps', index], reading);
    if (observation !== undefined) steps.push(observation);
  }
  return steps;
};

/**
 * The trace that a JSON value holds, as an answer to `program`. Keys that are not known are ignored; of bare outcomes
 * everything but the outcome is.
 *
 * @param source - names the value in messages
 * @throws BadInput for a wrong shape, or for more or fewer steps or host CPUs than the program has
 */
export const traceFromJson = (value: unknown, source: string, program: Program): Trace => {
  const problems = new Problems(source);
  const reading: Reading = { hostCpus: program.machine.hostCpus, problems };
  const document = problems.read(traceSchema, value, []);
  if (document === undefined) throw problems.refusal();
  const created = readObservation(document.created, ['created'], reading);
  const steps = readSteps(document.steps, program.steps.length, reading);
  const destroyed = readObservation(document.destroyed, ['destroyed'], reading);
  if (created === undefined || destroyed === undefined || !problems.isEmpty) throw problems.refusal();
  return { created, steps, destroyed };
};

/** As `traceFromJson`, from one line of a subject's output. */
export const parseTrace = (text: string, source: string, program: Program): Trace =>
  traceFromJson(readJson(text, source, 'answer'), source, program);

const outcomeToJson = (outcome: Outcome): OutcomeJson => {
  switch (outcome.kind) {
    case 'initialized':
      return { kind: outcome.kind, reserved: formatHex(outcome.reserved) };
    case 'mapped':
    case 'mmio':
    case 'physical':
      return { kind: outcome.kind, paddr: formatHex(outcome.paddr) };
    case 'fault':
      return { kind: outcome.kind, code: outcome.code };
    case 'killed':
    case 'host-bug':
      return { kind: outcome.kind, reason: outcome.reason };
    case 'created':
    case 'no-memory':
    case 'ok':
    case 'stuck':
    case 'dead':
    case 'destroyed':
    case 'halted':
    case 'absent':
      return { kind: outcome.kind };
    default:
      return outcome satisfies never;
  }
};

/** Copies: a machine may reuse its observation in the next call. */
const observationToJson = ({ outcome, references, stores, tables, switcher }: Observation): ObservationJson => {
  if (bareOutcome(outcome.kind)) return { outcome: outcomeToJson(outcome) };
  return {
    outcome: outcomeToJson(outcome),
    references: references.map(({ page, count }) => [page, count] as const),
    stores: stores.map(({ paddr, value }) => [formatHex(paddr), formatHexEntry(value)] as const),
    tables,
    switcher: { text: switcher.text, state: [...switcher.state], registers: switcher.registers },
  };
};

/** The JSON value of a trace, its keys in the order of formats.md. */
export const traceToJson = ({ created, steps, destroyed }: Trace): TraceJson => ({
  created: observationToJson(created),
  steps: steps.map(observationToJson),
  destroyed: observationToJson(destroyed),
});

/** A trace in one line, without the line's end. */
export const formatTrace = (trace: Trace): string => JSON.stringify(traceToJson(trace));
