/**
 * What the adapter and the kernel say to each other (guest/main.c): the greeting, requests and answers. Programs and traces are the messages
 * of formats.md (Binary encoding), each a word with its length and so many words.
 */

import type { Feature } from '../../model/vocabulary/index.js';
import { FEATURES } from '../../model/vocabulary/index.js';
import type { Machine } from './machine.js';
import { MachineDied } from './machine.js';

/** guest/main.c and guest/layout.h. */
const GREETING = '\nshadowdiff-metal/1\n';
const MAILBOX = 0x180000;
const IN = 0x181000;
const OUT = 0x1a0000;
const END = 0x200000;
const WORD = 4;
/** Bytes of programs, lengths included, that the mailbox holds. */
export const MOST_BATCH = OUT - IN;
/** A line that passes a byte in a tenth of a millisecond is done with so many before anybody waits for the answers. */
const MOST_BY_SERIAL = 4096;
/** Bytes that no BIOS and no answer are longer than. */
const MOST_HEARD = 2 ** 20;
const AT_CREATE = -1;
const AT_DESTROY = -2;

const LETTERS = {
  variant: 'V',
  variantSet: 'v',
  batch: 'M',
  batchDone: 'm',
  serialBatch: 'S',
  serialBatchDone: 's',
  dying: 'P',
};
const byteOf = (letter: string): number => letter.charCodeAt(0);

export interface Limits {
  /** Milliseconds from the start of the machine to the greeting. */
  readonly start: number;
  /** Milliseconds for what is run at once. */
  readonly program: number;
}

/** What is waited for, and how to tell when it is whole: undefined if more must come. */
interface Expected {
  readonly take: (heard: Buffer) => Buffer | undefined;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: Error) => void;
}

export class Conversation {
  private readonly machine: Machine;
  private readonly limits: Limits;
  private heard: Buffer = Buffer.alloc(0);
  private expected: Expected | undefined = undefined;
  private death: MachineDied | undefined = undefined;
  private hasBegun = false;

  constructor(machine: Machine, limits: Limits) {
    this.machine = machine;
    this.limits = limits;
    machine.listen({ heard: (bytes) => this.hear(bytes), died: (error) => this.die(error) });
  }

  /** Waits for the kernel, whatever a BIOS writes before it; returns what its CPU has. `variant`: guest.h. */
  async begin(variant: number): Promise<readonly Feature[]> {
    await this.expect(this.limits.start, 'the kernel did not come up', (heard) => {
      const at = heard.indexOf(GREETING, 0, 'latin1');
      return at === -1 ? undefined : heard.subarray(0, at + GREETING.length);
    });
    this.send(LETTERS.variant, wordOf(variant));
    const answer = await this.answer(LETTERS.variantSet, 1, this.limits.start);
    const words = answer.length / WORD - 1;
    if (words !== 1)
      throw new MachineDied('babble', `the kernel lists the features of its CPU in ${words} words, not in one`);
    const bits = answer.readUInt32LE(WORD);
    this.hasBegun = true;
    return FEATURES.filter((_, index) => (bits & (1 << index)) !== 0);
  }

  /** How many bytes of programs may be run at once. */
  get room(): number {
    return this.machine.memory === undefined ? MOST_BY_SERIAL : MOST_BATCH;
  }

  /** The traces of programs, one behind the other, as the programs are. */
  async run(programs: Buffer): Promise<Buffer> {
    const { memory } = this.machine;
    if (memory === undefined) {
      this.send(LETTERS.serialBatch, Buffer.concat([wordOf(programs.length / WORD), programs]));
      return (await this.answer(LETTERS.serialBatchDone, 1)).subarray(WORD);
    }
    memory.write(IN, programs);
    memory.write(MAILBOX, wordOf(programs.length / WORD));
    this.send(LETTERS.batch);
    await this.answer(LETTERS.batchDone, 0);
    const words = Buffer.from(memory.read(MAILBOX + WORD, WORD)).readUInt32LE(0);
    if (words * WORD > END - OUT) throw new MachineDied('babble', `the kernel counts ${words} words of answers`);
    return Buffer.from(memory.read(OUT, words * WORD));
  }

  /** Where in its program the guest was when it died, as formats.md (Crashes) has it; undefined if memory does not show it. */
  breadcrumb(): string | undefined {
    const { memory } = this.machine;
    if (memory === undefined || !this.hasBegun) return undefined;
    const step = Buffer.from(memory.read(MAILBOX + 3 * WORD, WORD)).readInt32LE(0);
    const place = step === AT_CREATE ? 'create' : step === AT_DESTROY ? 'destroy' : `step ${step}`;
    return `shadowdiff: at ${place}`;
  }

  /** A letter, and so many lengths with the words that they count. */
  private async answer(letter: string, messages: 0 | 1, limit = this.limits.program): Promise<Buffer> {
    const answer = await this.expect(limit, 'the kernel does not answer', (heard) => {
      const [first] = heard;
      if (first === undefined) return undefined;
      if (first === byteOf(LETTERS.dying)) return this.takeLastWords(heard);
      if (first !== byteOf(letter)) throw this.babble();
      if (messages === 0) return heard.subarray(0, 1);
      if (heard.length < 1 + WORD) return undefined;
      const length = 1 + WORD + heard.readUInt32LE(1) * WORD;
      return heard.length < length ? undefined : heard.subarray(0, length);
    });
    return answer.subarray(1);
  }

  private takeLastWords(heard: Buffer): undefined {
    const end = heard.indexOf(0);
    if (end !== -1) throw new MachineDied('exception', heard.toString('latin1', 1, end));
  }

  private async expect(limit: number, late: string, take: Expected['take']): Promise<Buffer> {
    if (this.death !== undefined) throw this.death;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.expected = { take, resolve, reject };
        timer = setTimeout(() => this.die(this.silence(limit, late)), limit);
        this.look();
      });
    } finally {
      clearTimeout(timer);
      this.expected = undefined;
    }
  }

  private silence(limit: number, late: string): MachineDied {
    const words = this.heard.length === 0 ? 'its serial line is silent' : `its serial line: ${shown(this.heard)}`;
    return new MachineDied('silent', `${late} within ${limit} ms; ${words}`);
  }

  private hear(bytes: Uint8Array): void {
    this.heard = Buffer.concat([this.heard, bytes]);
    if (this.heard.length > MOST_HEARD) this.die(this.babble());
    else this.look();
  }

  private babble(): MachineDied {
    return new MachineDied('babble', `the serial line babbles: ${shown(this.heard)}`);
  }

  private look(): void {
    const { expected } = this;
    if (expected === undefined) return;
    try {
      const answer = expected.take(this.heard);
      if (answer === undefined) return;
      this.heard = this.heard.subarray(answer.length);
      expected.resolve(answer);
    } catch (error) {
      this.die(error as MachineDied);
    }
  }

  /** What it says after that does not matter. */
  private die(error: MachineDied): void {
    this.death ??= error;
    this.heard = Buffer.alloc(0);
    this.expected?.reject(this.death);
  }

  private send(letter: string, payload: Uint8Array = new Uint8Array(0)): void {
    this.machine.send(Buffer.concat([Buffer.from(letter, 'latin1'), payload]));
  }
}

const wordOf = (word: number): Buffer => {
  const bytes = Buffer.alloc(WORD);
  bytes.writeUInt32LE(word);
  return bytes;
};

/** Bytes of a babbling line that a message shows. */
const MOST_SHOWN = 200;
const shown = (heard: Buffer): string => JSON.stringify(heard.toString('latin1', 0, MOST_SHOWN));
