/** A program as a listing shows it, read back: what people edit by hand. */

import type { GuestEntry, MachineConfig, Op, Paging, Program, Step } from '../../model/vocabulary/index.js';
import { OPS, ZERO_ENTRY, guestEntry } from '../../model/vocabulary/index.js';
import { P, XD, entryOnPage } from '../entry-bits.js';
import { BadInput } from './bad-input.js';
import { formatHexEntry, isHex, parseHexEntry } from './hex.js';
import { FLAGS, describeEntry, describeMachine, describeStep } from './listing.js';
import { Problems } from './problems.js';
import { checkStep, machineSchema, stepSchema } from './program-format.js';
import { quoted } from './visible-text.js';

/** The machine, then every step, a line each. */
export const formatListing = ({ machine, steps }: Program): string =>
  [describeMachine(machine), ...steps.map((step) => describeStep(step, machine))].join('\n');

/** UTF-16 units: room for twenty thousand steps. */
export const LONGEST_LISTING = 2 ** 20;

export interface ReadListing {
  readonly program: Program;
  /** What stands in the text and does not count, each in a sentence that names its line. */
  readonly remarks: readonly string[];
}

/** Names the line that cannot be read. */
export class BadListing extends BadInput {
  /** Counted from 1. */
  readonly line: number;

  constructor(source: string, line: number, field: string, text: string) {
    super(source, text, { place: `line ${line}, ${field}` });
    this.line = line;
  }
}

/**
 * Reads what `formatListing` writes. Blank lines, comments after `#`, the number of a step before it and the mark of a divergence do not
 * count. An entry may be a word, words such as `pfn 5 P RW US`, or both: then the word counts.
 *
 * @throws BadListing, naming line and field
 */
export const parseListing = (text: string, source: string): ReadListing => {
  if (text.length > LONGEST_LISTING)
    throw new BadListing(source, 1, 'length', `more than ${LONGEST_LISTING} characters; leave steps out`);
  let machine: MachineConfig | undefined;
  const steps: Step[] = [];
  const remarks: string[] = [];
  for (const [index, content] of text.split('\n').entries()) {
    const line = content.replace(/#.*/, '').trim();
    if (line === '') continue;
    const place = { source, line: index + 1 };
    if (machine === undefined) machine = readMachine(line, place);
    else steps.push(readStep(line.replace(BEFORE_STEP, ''), machine, place, remarks));
  }
  if (machine === undefined) throw new BadListing(source, 1, 'machine', `missing; ${MACHINE_REMEDY}`);
  return { program: { machine, steps }, remarks };
};

/** As terminals show a step: a mark and its number. */
const BEFORE_STEP = /^>?\s*(?:\d+\s+(?=[a-z]))?/;

interface LinePlace {
  readonly source: string;
  readonly line: number;
}

const bad = ({ source, line }: LinePlace, field: string, text: string): BadListing =>
  new BadListing(source, line, field, text);

// The machine.

/** By field. All must be there, in any order; only the last two may be left out. */
const MACHINE_PARTS: readonly (readonly [field: keyof MachineConfig, pattern: RegExp])[] = [
  ['paging', /^(2-level|pae)$/i],
  ['guestPages', /^(\S+) guest pages?$/],
  ['devicePages', /^(\S+) device pages?$/],
  ['hostCpus', /^(\S+) host CPUs?$/i],
  ['draw', /^draw (\S+)$/],
  ['failAllocation', /^allocation (\S+) of creation fails$/],
  ['features', /^features (.+)$/],
];

/** How fields that are no numbers are read. */
const MACHINE_WORDS: Readonly<Partial<Record<keyof MachineConfig, (text: string) => unknown>>> = {
  paging: (text) => text.toLowerCase(),
  features: (text) => text.split(/\s+/),
};

const MACHINE_REMEDY = 'write it like "2-level, 64 guest pages, 4 device pages, 2 host CPUs, draw 0"';

const readMachine = (line: string, place: LinePlace): MachineConfig => {
  const found: Record<string, unknown> = {};
  for (const part of line.replace(/^machine\s+/, '').split(/\s*,\s*/)) {
    const [field, pattern] = MACHINE_PARTS.find(([, each]) => each.test(part)) ?? [];
    if (field === undefined || pattern === undefined)
      throw bad(place, 'machine', `${quoted(part)} is not understood; ${MACHINE_REMEDY}`);
    if (field in found) throw bad(place, field, `${quoted(part)} comes second; give it once`);
    const [, value] = pattern.exec(part)!;
    found[field] = MACHINE_WORDS[field]?.(value) ?? numberIn(value);
  }
  const problems = new Problems(place.source);
  const machine = problems.read(machineSchema, { failAllocation: 0, ...found }, []);
  if (machine === undefined) throw refused(problems, place);
  return machine;
};

/** Of the first problem. */
const refused = (problems: Problems, place: LinePlace): BadListing => {
  const { path, text } = problems.first!;
  return bad(place, path.length === 0 ? 'step' : path.map(String).join('.'), text);
};

const numberIn = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text);

// Steps.

/** What follows the operation, as `describeStep` writes it. A word in angle brackets is a field; an entry is always the last one. */
const SYNTAX: Readonly<Record<Op, string>> = {
  store: '[ <paddr> ] = <value>',
  init: 'kernel <kernelAddress>',
  'new-pgtable': 'root <root> draw <draw>',
  'flush-tlb': '<scope>',
  'set-stack': 'esp <esp> pages <pages>',
  'set-pmd': 'pmd <pmd> index <index>',
  'set-pte': 'root <root> vaddr <vaddr> = <pte>',
  'set-pgd': 'root <root> index <index>',
  access: '<vaddr> <kind> <mode>',
  'guest-pa': '<vaddr>',
  migrate: 'cpu <cpu>',
  'fail-alloc': 'count <count>',
  protect: 'page <page> <access>',
};

const isOp = (word: string): word is Op => OPS.some((op) => op === word);

const readStep = (line: string, machine: MachineConfig, place: LinePlace, remarks: string[]): Step => {
  const [op, ...words] = line
    .replaceAll(/[[\]=]/g, ' $& ')
    .trim()
    .split(/\s+/);
  if (!isOp(op)) throw bad(place, 'step', `${quoted(op)} is not known; use one of ${OPS.join(', ')}`);
  const problems = new Problems(place.source);
  const step = problems.read(stepSchema, fieldsOf(op, words, { ...place, machine, remarks }), []);
  if (step !== undefined) checkStep(step, { machine, path: [], problems });
  if (step === undefined || !problems.isEmpty) throw refused(problems, place);
  return step;
};

interface EntryPlace extends LinePlace {
  readonly machine: MachineConfig;
  readonly remarks: string[];
}

/** The step as JSON has it. */
const fieldsOf = (op: Op, words: readonly string[], place: EntryPlace): Readonly<Record<string, unknown>> => {
  const fields: Record<string, unknown> = { op };
  let next = 0;
  for (const part of SYNTAX[op].split(' ')) {
    const field = /^<(.*)>$/.exec(part)?.[1];
    const word = words[next++];
    if (field === undefined) {
      if (word !== part) throw misplaced(op, word, part, place);
    } else if (field === 'value' || field === 'pte') {
      fields[field] = readEntry(field, words.slice(next - 1), place);
      return fields;
    } else fields[field] = NUMBERS.has(field) && word !== undefined ? numberIn(word) : word;
  }
  if (next < words.length) throw misplaced(op, words[next], undefined, place);
  return fields;
};

const NUMBERS = new Set(['draw', 'pages', 'index', 'cpu', 'count', 'page']);

const misplaced = (op: Op, word: string | undefined, expected: string | undefined, place: LinePlace): BadListing => {
  const found = word === undefined ? 'the line ends too early' : `${quoted(word)} is misplaced`;
  return bad(place, expected ?? op, `${found}; write ${op} ${SYNTAX[op].replace('[ <paddr> ]', '[<paddr>]')}`);
};

// Entries.

/** As JSON has it; undefined if there is none. A word that is no hex is left to the schema to refuse. */
const readEntry = (field: string, words: readonly string[], place: EntryPlace): string | undefined => {
  const [first, ...others] = words;
  if (first === undefined) return undefined;
  if (first === 'pfn' || first === 'not') return formatHexEntry(entryInWords(field, words, place));
  if (first === '0' && others.length === 0) return '0x0';
  const entry = isHex(first) ? parseHexEntry(first) : undefined;
  const written = others.join(' ');
  if (entry === undefined || written === '') return first;
  const meaning = describeEntry(entry, place.machine);
  if (written !== meaning)
    place.remarks.push(
      `line ${place.line}, ${field}: ${first} counts, which is ${quoted(meaning)}; without it ${quoted(written)} counts`,
    );
  return first;
};

/** `pfn 5 P RW US A D XD AVL 0x200 reserved 0x80000000000000`; a `not present,` in front is not needed. */
const entryInWords = (field: string, words: readonly string[], place: EntryPlace): GuestEntry => {
  const text = words.join(' ');
  const { paging } = place.machine;
  const [, page, flags] = /^(?:not present,? )?pfn (\d{1,10})((?: \S+)*)$/.exec(text) ?? [];
  if (page === undefined || Number(page) >= MOST_PAGES[paging])
    throw bad(place, field, `${quoted(text)} names no page; write an entry like 0x5067 or "pfn 5 P RW US A D"`);
  let { low, high } = entryOnPage(ZERO_ENTRY, Number(page));
  const rest = flags.split(' ').slice(1).values();
  for (const flag of rest) {
    const bit = BITS.get(flag);
    const value = flag === 'AVL' || flag === 'reserved' ? hexIn(rest.next().value) : undefined;
    if (bit !== undefined) low = (low | bit) >>> 0;
    else if (flag === 'XD' && paging === 'pae') high = (high | XD) >>> 0;
    else if (value === undefined)
      throw bad(place, field, `${quoted(flag)} is no bit of an entry; use ${bitNames(paging)}, AVL 0x200`);
    else {
      low = (low | value.low) >>> 0;
      high = (high | value.high) >>> 0;
    }
  }
  return guestEntry(low, high);
};

const BITS: ReadonlyMap<string, number> = new Map([['P', P], ...FLAGS]);
const bitNames = (paging: Paging): string => [...BITS.keys(), ...(paging === 'pae' ? ['XD'] : [])].join(' ');
/** Pages that an entry can name: 20 bits, in PAE 32. */
const MOST_PAGES: Readonly<Record<Paging, number>> = { '2-level': 2 ** 20, pae: 2 ** 32 };

const hexIn = (word: string | undefined): GuestEntry | undefined =>
  word !== undefined && isHex(word) ? parseHexEntry(word) : undefined;
