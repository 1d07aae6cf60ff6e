/** Programs in JSON: what a corpus file holds and what a subject is sent (formats.md, Program). */

import type { Program, Step } from '../../model/vocabulary/index.js';
import { checkStep } from './program-bounds.js';
import { BadInput } from './bad-input.js';
import { formatHex, formatHexEntry } from './hex.js';
import { readJson } from './json-text.js';
import { Problems } from './problems.js';
import type { ProgramJson, StepJson } from './program-schema.js';
import { PROGRAM_FORMAT, programSchema, stepSchema } from './program-schema.js';
import { shownValue } from './quoted.js';

/** Before anything else: what another version asks for must not be reported as mistakes in this one. */
const refuseOtherFormat = (value: unknown, source: string): void => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('format' in value)) return;
  if (value.format === PROGRAM_FORMAT) return;
  const text = `${shownValue(value.format)} is not known here; this version reads "${PROGRAM_FORMAT}"`;
  throw new BadInput(source, text, { place: 'format' });
};

/**
 * The program that a JSON value holds.
 *
 * @param source - names the value in messages
 * @throws BadInput for another format, a wrong shape, or a bound that is not kept
 */
export const programFromJson = (value: unknown, source: string): Program => {
  refuseOtherFormat(value, source);
  const problems = new Problems(source);
  const document = problems.read(programSchema, value, []);
  if (document === undefined) throw problems.refusal();
  const { machine, steps: list } = document;
  const steps = problems.readEach<Step>(stepSchema, list, ['steps'], (step, path) =>
    checkStep(step, { machine, path, problems }),
  );
  if (!problems.isEmpty) throw problems.refusal();
  return { machine, steps };
};

/** As `programFromJson`, from the text of a file. */
export const parseProgram = (text: string, source: string): Program =>
  programFromJson(readJson(text, source, 'file'), source);

const stepToJson = (step: Step): StepJson => {
  switch (step.op) {
    case 'store':
      return { op: step.op, paddr: formatHex(step.paddr), value: formatHexEntry(step.value) };
    case 'init':
      return { op: step.op, kernelAddress: formatHex(step.kernelAddress) };
    case 'new-pgtable':
      return { op: step.op, root: formatHex(step.root), draw: step.draw };
    case 'flush-tlb':
      return { op: step.op, scope: step.scope };
    case 'set-stack':
      return { op: step.op, esp: formatHex(step.esp), pages: step.pages };
    case 'set-pmd':
      return { op: step.op, pmd: formatHex(step.pmd), index: step.index };
    case 'set-pte':
      return { op: step.op, root: formatHex(step.root), vaddr: formatHex(step.vaddr), pte: formatHexEntry(step.pte) };
    case 'set-pgd':
      return { op: step.op, root: formatHex(step.root), index: step.index };
    case 'access':
      return { op: step.op, vaddr: formatHex(step.vaddr), kind: step.kind, mode: step.mode };
    case 'guest-pa':
      return { op: step.op, vaddr: formatHex(step.vaddr) };
    case 'migrate':
      return { op: step.op, cpu: step.cpu };
    case 'fail-alloc':
      return { op: step.op, count: step.count };
    case 'protect':
      return { op: step.op, page: step.page, access: step.access };
    default:
      return step satisfies never;
  }
};

/** The JSON value of a program, its keys in the order of formats.md. */
export const programToJson = ({ machine, steps }: Program): ProgramJson => ({
  format: PROGRAM_FORMAT,
  machine: {
    paging: machine.paging,
    guestPages: machine.guestPages,
    devicePages: machine.devicePages,
    hostCpus: machine.hostCpus,
    draw: machine.draw,
    failAllocation: machine.failAllocation,
  },
  steps: steps.map(stepToJson),
});

/** A program in one line, without the line's end. Equal programs give equal lines. */
export const formatProgram = (program: Program): string => JSON.stringify(programToJson(program));
