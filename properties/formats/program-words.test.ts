import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Program, Step } from '../../model/vocabulary/index.js';
import { PAGINGS, cpu, guestEntry, paddr, vaddr } from '../../model/vocabulary/index.js';
import { uniformProgram } from '../generators/any-step.js';
import { ProgramWriter, writeMachine, writeStep } from './program-words.js';

/** Reads words back, as formats.md describes them. */
class Words {
  private readonly words: Uint32Array;
  private at: number;

  constructor(words: Uint32Array, at = 0) {
    this.words = words;
    this.at = at;
  }

  next(): number {
    if (this.at === this.words.length) throw new Error('no more words');
    return this.words[this.at++];
  }

  get isAtEnd(): boolean {
    return this.at === this.words.length;
  }

  program(): Program {
    const [paging, guestPages, devicePages, hostCpus, draw, failAllocation] = Array.from({ length: 6 }, () =>
      this.next(),
    );
    const machine = { paging: PAGINGS[paging], guestPages, devicePages, hostCpus, draw, failAllocation };
    return { machine, steps: Array.from({ length: this.next() }, () => this.step()) };
  }

  private entry() {
    const low = this.next();
    return guestEntry(low, this.next());
  }

  private step(): Step {
    switch (this.next()) {
      case 0:
        return { op: 'store', paddr: paddr(this.next()), value: this.entry() };
      case 1:
        return { op: 'init', kernelAddress: vaddr(this.next()) };
      case 2:
        return { op: 'new-pgtable', root: paddr(this.next()), draw: this.next() };
      case 3:
        return { op: 'flush-tlb', scope: (['all', 'user'] as const)[this.next()] };
      case 4:
        return { op: 'set-stack', esp: vaddr(this.next()), pages: this.next() };
      case 5:
        return { op: 'set-pmd', pmd: paddr(this.next()), index: this.next() };
      case 6:
        return { op: 'set-pte', root: paddr(this.next()), vaddr: vaddr(this.next()), pte: this.entry() };
      case 7:
        return { op: 'set-pgd', root: paddr(this.next()), index: this.next() };
      case 8: {
        const address = vaddr(this.next());
        const sum = this.next();
        return {
          op: 'access',
          vaddr: address,
          kind: (sum & 1) === 0 ? 'read' : 'write',
          mode: (sum & 2) === 0 ? 'kernel' : 'user',
        };
      }
      case 9:
        return { op: 'guest-pa', vaddr: vaddr(this.next()) };
      case 10:
        return { op: 'migrate', cpu: cpu(this.next()) };
      case 11:
        return { op: 'fail-alloc', count: this.next() };
      case 12:
        return { op: 'protect', page: this.next(), access: (['none', 'read', 'write'] as const)[this.next()] };
      default:
        throw new Error('no such step');
    }
  }
}

const wordsOf = (bytes: Uint8Array): Uint32Array => new Uint32Array(Uint8Array.from(bytes).buffer);

test('any programs survive writing and reading, one behind the other', () => {
  fc.assert(
    fc.property(fc.array(uniformProgram, { maxLength: 3 }), (programs) => {
      const writer = new ProgramWriter();
      for (let round = 0; round < 2; round++) {
        for (const program of programs) writer.add(program);
        let words = wordsOf(writer.take());
        for (const program of programs) {
          const [length] = words;
          const message = new Words(words.subarray(1, 1 + length));
          expect(message.program()).toEqual(program);
          expect(message.isAtEnd).toBe(true);
          words = words.subarray(1 + length);
        }
        expect(words).toHaveLength(0);
      }
    }),
  );
});

test('a long program makes room', () => {
  const machine = { paging: 'pae', guestPages: 8, devicePages: 0, hostCpus: 1, draw: 7, failAllocation: 0 } as const;
  const step: Step = { op: 'set-pte', root: paddr(0x20), vaddr: vaddr(0x1000), pte: guestEntry(1, 2) };
  const writer = new ProgramWriter();
  writer.add({ machine, steps: Array.from({ length: 5000 }, () => step) });
  expect(writer.take()).toHaveLength(4 * (1 + 6 + 1 + 5000 * 5));
});

test('a machine and a step may be written alone', () => {
  const words = new Uint32Array(8);
  const machine = { paging: 'pae', guestPages: 8, devicePages: 3, hostCpus: 2, draw: 7, failAllocation: 1 } as const;
  expect(writeMachine(words, 0, machine)).toBe(6);
  expect([...words]).toEqual([1, 8, 3, 2, 7, 1, 0, 0]);
  expect(writeMachine(words, 0, { ...machine, features: ['write-protect-off'] })).toBe(6);
  expect(words[0]).toBe(1 + 256);
  expect(writeStep(words, 0, { op: 'access', vaddr: vaddr(0x1000), kind: 'write', mode: 'user' })).toBe(3);
  expect([...words.subarray(0, 3)]).toEqual([8, 0x1000, 3]);
});
