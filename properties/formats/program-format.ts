/** Programs in JSON: what a corpus file holds and what a subject is sent (formats.md, Program). */

import * as z from 'zod/mini';
import { createHash } from 'node:crypto';
import type { AccessKind, GuestEntry, MachineConfig, Paddr, Program, Step } from '../../model/vocabulary/index.js';
import {
  FEATURES,
  MACHINE_BOUNDS,
  OPS,
  PAGE_BYTES,
  PAGINGS,
  hasFeature,
  pagingSizes,
} from '../../model/vocabulary/index.js';
import { BadInput } from './bad-input.js';
import {
  choice,
  exactObject,
  hexEntry,
  hexPaddr,
  hexVaddr,
  list,
  someOf,
  u32,
  unionError,
  wholeNumber,
} from './fields.js';
import { formatHex, formatHexEntry } from './hex.js';
import { readJson } from './json-text.js';
import { shownValue } from './visible-text.js';
import type { Path } from './problems.js';
import { Problems } from './problems.js';

// Shape. Keys stand in the order in which they are written.

export const PROGRAM_FORMAT = 'shadowdiff-program/1';

const bounded = ({ least, most }: { readonly least: number; readonly most: number }) => wholeNumber(least, most);

export const machineSchema = exactObject({
  paging: choice(PAGINGS),
  guestPages: bounded(MACHINE_BOUNDS.guestPages),
  devicePages: bounded(MACHINE_BOUNDS.devicePages),
  hostCpus: bounded(MACHINE_BOUNDS.hostCpus),
  draw: u32,
  failAllocation: u32,
  features: z.exactOptional(someOf(FEATURES)),
}).check(
  // XD is a bit of PAE entries.
  z.refine(({ paging, features = [] }) => paging === 'pae' || !features.includes('no-execute'), {
    path: ['features'],
    error: '"no-execute" needs PAE; leave it out, or set machine.paging to "pae"',
  }),
) satisfies z.core.$ZodType<MachineConfig>;

/** Steps are read one at a time, by `stepSchema`. */
export const programSchema = exactObject({ format: choice([PROGRAM_FORMAT]), machine: machineSchema, steps: list });

/** What holds for a step on any machine. */
export const stepSchema = z.discriminatedUnion(
  'op',
  [
    exactObject({ op: z.literal('store'), paddr: hexPaddr, value: hexEntry }),
    exactObject({ op: z.literal('init'), kernelAddress: hexVaddr }),
    exactObject({ op: z.literal('new-pgtable'), root: hexPaddr, draw: u32 }),
    exactObject({ op: z.literal('flush-tlb'), scope: choice(['all', 'user']) }),
    exactObject({ op: z.literal('set-stack'), esp: hexVaddr, pages: u32 }),
    exactObject({ op: z.literal('set-pmd'), pmd: hexPaddr, index: u32 }),
    exactObject({ op: z.literal('set-pte'), root: hexPaddr, vaddr: hexVaddr, pte: hexEntry }),
    exactObject({ op: z.literal('set-pgd'), root: hexPaddr, index: u32 }),
    exactObject({
      op: z.literal('access'),
      vaddr: hexVaddr,
      kind: choice(['read', 'write', 'execute']),
      mode: choice(['user', 'kernel']),
    }),
    exactObject({ op: z.literal('guest-pa'), vaddr: hexVaddr }),
    exactObject({ op: z.literal('migrate'), cpu: u32 }),
    exactObject({ op: z.literal('fail-alloc'), count: u32 }),
    exactObject({ op: z.literal('protect'), page: u32, access: choice(['none', 'read', 'write']) }),
  ],
  { error: unionError('op', OPS) },
) satisfies z.core.$ZodType<Step>;

/** A step as JSON holds it. */
export type StepJson = z.input<typeof stepSchema>;

/** A program as JSON holds it. */
export interface ProgramJson {
  readonly format: typeof PROGRAM_FORMAT;
  readonly machine: MachineConfig;
  readonly steps: readonly StepJson[];
}

// Bounds: what a step may contain depends on its machine (formats.md, Bounds; machine.md 1).

/** What a step is checked against, and where to report problems. */
interface Check {
  readonly machine: MachineConfig;
  readonly path: Path;
  readonly problems: Problems;
}

const checkAlignment = (field: string, address: Paddr, bytes: number, { path, problems }: Check): void => {
  if (address % bytes === 0) return;
  const nearest = formatHex(address - (address % bytes));
  problems.add([...path, field], `${formatHex(address)} is not a multiple of ${bytes}; use "${nearest}" for one`);
};

const checkRoot = (root: Paddr, check: Check): void =>
  checkAlignment('root', root, pagingSizes(check.machine.paging).rootAlignment, check);

const checkInRam = (address: Paddr, { machine, path, problems }: Check): void => {
  const bytes = machine.guestPages * PAGE_BYTES;
  if (address < bytes) return;
  const problem = `${formatHex(address)} is outside RAM`;
  problems.add([...path, 'paddr'], `${problem}; stay below ${formatHex(bytes)} or raise machine.guestPages`);
};

const checkEntry = (field: string, entry: GuestEntry, { machine, path, problems }: Check): void => {
  if (machine.paging === 'pae' || entry.high === 0) return;
  const problem = `${formatHexEntry(entry)} does not fit a 2-level entry`;
  problems.add([...path, field], `${problem}; give at most 32 bits or set machine.paging to "pae"`);
};

const checkKind = (kind: AccessKind, { machine, path, problems }: Check): void => {
  if (kind !== 'execute' || hasFeature(machine, 'no-execute')) return;
  problems.add(
    [...path, 'kind'],
    '"execute" needs a feature; add "no-execute" to machine.features, or give another kind',
  );
};

const checkBelow = (field: string, value: number, bound: 'hostCpus' | 'guestPages', check: Check): void => {
  const limit = check.machine[bound];
  if (value < limit) return;
  const remedy = `give at most ${limit - 1} or raise machine.${bound}`;
  check.problems.add([...check.path, field], `${value} is out of range; ${remedy}`);
};

/** Reports bounds that a well-formed step violates. */
export const checkStep = (step: Step, check: Check): void => {
  switch (step.op) {
    case 'store':
      checkInRam(step.paddr, check);
      checkAlignment('paddr', step.paddr, pagingSizes(check.machine.paging).entryBytes, check);
      return checkEntry('value', step.value, check);
    case 'set-pte':
      checkRoot(step.root, check);
      return checkEntry('pte', step.pte, check);
    case 'new-pgtable':
    case 'set-pgd':
      return checkRoot(step.root, check);
    case 'migrate':
      return checkBelow('cpu', step.cpu, 'hostCpus', check);
    case 'protect':
      return checkBelow('page', step.page, 'guestPages', check);
    case 'access':
      return checkKind(step.kind, check);
    case 'init':
    case 'flush-tlb':
    case 'set-stack':
    case 'set-pmd':
    case 'guest-pa':
    case 'fail-alloc':
      return;
    default:
      return step satisfies never;
  }
};

// Reading and writing.

/** Checked first: features of another version must not be reported as mistakes in this one. */
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
 * @throws BadInput for another format, a wrong shape, or a violated bound
 */
export const programFromJson = (value: unknown, source: string): Program => {
  refuseOtherFormat(value, source);
  const problems = new Problems(source);
  const { machine, steps: list } = problems.readWhole(programSchema, value);
  const steps = problems.readEach<Step>(stepSchema, list, ['steps'], (step, path) =>
    checkStep(step, { machine, path, problems }),
  );
  if (!problems.isEmpty) throw problems.refusal();
  return { machine, steps };
};

/** As `programFromJson`, from the text of a file. */
export const parseProgram = (text: string, source: string): Program =>
  programFromJson(readJson(text, source, 'file'), source);

const hex = (value: number): string => `"${formatHex(value)}"`;
const hexOfEntry = (entry: GuestEntry): string => `"${formatHexEntry(entry)}"`;

/** Written by hand, because a subject outside the process is sent every program. No word or number in it needs an escape. */
const stepText = (step: Step): string => {
  switch (step.op) {
    case 'store':
      return `{"op":"store","paddr":${hex(step.paddr)},"value":${hexOfEntry(step.value)}}`;
    case 'init':
      return `{"op":"init","kernelAddress":${hex(step.kernelAddress)}}`;
    case 'new-pgtable':
      return `{"op":"new-pgtable","root":${hex(step.root)},"draw":${step.draw}}`;
    case 'flush-tlb':
      return `{"op":"flush-tlb","scope":"${step.scope}"}`;
    case 'set-stack':
      return `{"op":"set-stack","esp":${hex(step.esp)},"pages":${step.pages}}`;
    case 'set-pmd':
      return `{"op":"set-pmd","pmd":${hex(step.pmd)},"index":${step.index}}`;
    case 'set-pte':
      return `{"op":"set-pte","root":${hex(step.root)},"vaddr":${hex(step.vaddr)},"pte":${hexOfEntry(step.pte)}}`;
    case 'set-pgd':
      return `{"op":"set-pgd","root":${hex(step.root)},"index":${step.index}}`;
    case 'access':
      return `{"op":"access","vaddr":${hex(step.vaddr)},"kind":"${step.kind}","mode":"${step.mode}"}`;
    case 'guest-pa':
      return `{"op":"guest-pa","vaddr":${hex(step.vaddr)}}`;
    case 'migrate':
      return `{"op":"migrate","cpu":${step.cpu}}`;
    case 'fail-alloc':
      return `{"op":"fail-alloc","count":${step.count}}`;
    case 'protect':
      return `{"op":"protect","page":${step.page},"access":"${step.access}"}`;
    default:
      return step satisfies never;
  }
};

const machineText = ({
  paging,
  guestPages,
  devicePages,
  hostCpus,
  draw,
  failAllocation,
  features,
}: MachineConfig): string =>
  `{"paging":"${paging}","guestPages":${guestPages},"devicePages":${devicePages},"hostCpus":${hostCpus},` +
  `"draw":${draw},"failAllocation":${failAllocation}${features === undefined ? '' : `,"features":${JSON.stringify(features)}`}}`;

/**
 * A program in one line, without a newline: the same ASCII text for every spelling of it (key order, blanks, leading zeros). Keys stand in
 * the order of formats.md.
 */
export const formatProgram = ({ machine, steps }: Program): string => {
  let text = `{"format":"${PROGRAM_FORMAT}","machine":${machineText(machine)},"steps":[`;
  for (let index = 0; index < steps.length; index++) text += (index === 0 ? '' : ',') + stepText(steps[index]);
  return `${text}]}`;
};

/** The JSON value of a program. */
export const programToJson = (program: Program): ProgramJson =>
  // eslint-disable-next-line no-restricted-properties -- text of ours
  JSON.parse(formatProgram(program)) as ProgramJson;

// Names.

/** Enough to distinguish the files of a corpus, short enough to type. */
const HASH_DIGITS = 8;

/** The first eight hex digits of the SHA-256 of the program in JSON, or of several, a line each. */
export const programHash = (...programs: readonly [Program, ...Program[]]): string =>
  createHash('sha256').update(programs.map(formatProgram).join('\n')).digest('hex').slice(0, HASH_DIGITS);

/** An order of programs: shorter ones first; of equals the hash decides, so that the order of reading does not. */
export const compareWorth = (one: Program, other: Program): number =>
  one.steps.length - other.steps.length || compareText(programHash(one), programHash(other));

const compareText = (one: string, other: string): number => Number(one > other) - Number(one < other);
