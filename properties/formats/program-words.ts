/** Programs as 32-bit words (formats.md, Binary encoding). Words have the byte order of this machine, which must be little-endian. */

import type { GuestEntry, MachineConfig, Program, Step } from '../../model/vocabulary/index.js';
import { FEATURES, OPS, PAGINGS } from '../../model/vocabulary/index.js';

const MACHINE_WORDS = 6;
const MOST_STEP_WORDS = 5;

const KIND_BITS = { read: 0, write: 1, execute: 4 } as const;
const SCOPES = ['all', 'user'] as const;
const PROTECTIONS = ['none', 'read', 'write'] as const;

/** The numbers of steps by `op`. */
const OP_NUMBERS = Object.fromEntries(OPS.map((op, number) => [op, number])) as Readonly<Record<Step['op'], number>>;

/** The first of the features' bits. */
const FEATURE_BIT = 256;

const featureBits = ({ features }: MachineConfig): number =>
  features === undefined
    ? 0
    : FEATURES.reduce((sum, each, index) => sum + (features.includes(each) ? 1 << index : 0), 0);

/** Writes six words from `at` on and returns the offset behind them. */
export const writeMachine = (words: Uint32Array, at: number, machine: MachineConfig): number => {
  words[at] = PAGINGS.indexOf(machine.paging) + FEATURE_BIT * featureBits(machine);
  words[at + 1] = machine.guestPages;
  words[at + 2] = machine.devicePages;
  words[at + 3] = machine.hostCpus;
  words[at + 4] = machine.draw;
  words[at + 5] = machine.failAllocation;
  return at + MACHINE_WORDS;
};

/** Writes up to five words from `at` on and returns the offset behind them. */
export const writeStep = (words: Uint32Array, at: number, step: Step): number => {
  words[at] = OP_NUMBERS[step.op];
  switch (step.op) {
    case 'store':
      words[at + 1] = step.paddr;
      return writeEntry(words, at + 2, step.value);
    case 'init':
      words[at + 1] = step.kernelAddress;
      return at + 2;
    case 'new-pgtable':
      words[at + 1] = step.root;
      words[at + 2] = step.draw;
      return at + 3;
    case 'flush-tlb':
      words[at + 1] = SCOPES.indexOf(step.scope);
      return at + 2;
    case 'set-stack':
      words[at + 1] = step.esp;
      words[at + 2] = step.pages;
      return at + 3;
    case 'set-pmd':
      words[at + 1] = step.pmd;
      words[at + 2] = step.index;
      return at + 3;
    case 'set-pte':
      words[at + 1] = step.root;
      words[at + 2] = step.vaddr;
      return writeEntry(words, at + 3, step.pte);
    case 'set-pgd':
      words[at + 1] = step.root;
      words[at + 2] = step.index;
      return at + 3;
    case 'access':
      words[at + 1] = step.vaddr;
      words[at + 2] = KIND_BITS[step.kind] + (step.mode === 'user' ? 2 : 0);
      return at + 3;
    case 'guest-pa':
      words[at + 1] = step.vaddr;
      return at + 2;
    case 'migrate':
      words[at + 1] = step.cpu;
      return at + 2;
    case 'fail-alloc':
      words[at + 1] = step.count;
      return at + 2;
    case 'protect':
      words[at + 1] = step.page;
      words[at + 2] = PROTECTIONS.indexOf(step.access);
      return at + 3;
    default:
      return step satisfies never;
  }
};

const writeEntry = (words: Uint32Array, at: number, { low, high }: GuestEntry): number => {
  words[at] = low;
  words[at + 1] = high;
  return at + 2;
};

/** Writes messages one behind the other, in a buffer that it keeps. */
export class ProgramWriter {
  private words = new Uint32Array(4096);
  private length = 0;

  add({ machine, steps }: Program): void {
    this.reserve(2 + MACHINE_WORDS + steps.length * MOST_STEP_WORDS);
    const { words, length } = this;
    let at = writeMachine(words, length + 1, machine);
    words[at++] = steps.length;
    for (let index = 0; index < steps.length; index++) at = writeStep(words, at, steps[index]);
    words[length] = at - length - 1;
    this.length = at;
  }

  /** The bytes of all messages since the last call, in a buffer of their own. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.words.buffer, 0, this.length * 4);
    this.length = 0;
    return bytes.slice();
  }

  private reserve(more: number): void {
    if (this.length + more <= this.words.length) return;
    const larger = new Uint32Array(2 * (this.length + more));
    larger.set(this.words.subarray(0, this.length));
    this.words = larger;
  }
}
