/** A machine in WebAssembly: steps go in and observations come out through its memory (formats.md, WebAssembly). */

import type { Machine, MachineConfig, Observation, Step } from '../../model/vocabulary/index.js';
import { bareOutcome } from '../../model/vocabulary/index.js';
import { BadInput, shownValue } from '../formats/index.js';
import { writeMachine, writeStep } from '../formats/program-words.js';
import type { TraceContents } from '../formats/trace-contents.js';
import type { ObservationPlace } from '../formats/trace-words.js';
import { MOST_TRACE_WORDS, TraceReader } from '../formats/trace-words.js';
import { RecordedShadow } from '../reported-shadow.js';
import { NotAnObservation } from './foreign-machine.js';
import type { WasmExports } from './wasm-module.js';

/** Words that a machine or a step needs. */
const INPUT_WORDS = 8;
/** Bytes. */
const LONGEST_HELLO = 2 ** 16;

/** An instance of the module. Its calls throw `NotAnObservation` for what breaks the rules, and what the engine throws for a trap. */
export class WasmInstance {
  private readonly exports: WasmExports;
  private view: Uint32Array;

  constructor(module: WebAssembly.Module) {
    this.exports = new WebAssembly.Instance(module).exports as WasmExports;
    this.view = new Uint32Array(this.exports.memory.buffer);
  }

  /** Its memory now. What a call returned is read before the next call. */
  get words(): Uint32Array {
    // Memory that grows gets another buffer, and the old one is empty.
    if (this.view.length === 0) this.view = new Uint32Array(this.exports.memory.buffer);
    return this.view;
  }

  /** Must be the first call. */
  hello(): string {
    const start = 4 * this.indexOf('shadowdiff_hello', this.exports.shadowdiff_hello());
    const bytes = new Uint8Array(this.words.buffer, start).subarray(0, LONGEST_HELLO);
    const length = bytes.indexOf(0);
    if (length < 0) throw new NotAnObservation('the hello does not end; put a zero byte behind it');
    return Buffer.from(bytes.subarray(0, length)).toString('utf8');
  }

  /** Where a machine or a step is put, as an index of `words`. */
  input(): number {
    const index = this.indexOf('shadowdiff_input', this.exports.shadowdiff_input());
    if (index + INPUT_WORDS <= this.words.length) return index;
    throw new NotAnObservation(
      `shadowdiff_input returned ${4 * index}, too near the end of memory; leave room for 8 words`,
    );
  }

  /** The index of the first word of the answer. */
  create(): number {
    return this.indexOf('shadowdiff_create', this.exports.shadowdiff_create());
  }

  apply(): number {
    return this.indexOf('shadowdiff_apply', this.exports.shadowdiff_apply());
  }

  destroy(): number {
    return this.indexOf('shadowdiff_destroy', this.exports.shadowdiff_destroy());
  }

  private indexOf(name: string, address: unknown): number {
    const index = typeof address === 'number' ? (address >>> 0) / 4 : NaN;
    if (Number.isInteger(index) && index < this.words.length) return index;
    const shown = typeof address === 'number' ? address >>> 0 : shownValue(address);
    const bytes = 4 * this.words.length;
    throw new NotAnObservation(`${name} returned ${shown}; return a multiple of 4 in its memory of ${bytes} bytes`);
  }
}

export class WasmMachine implements Machine {
  /** Set if it observes its shadow. */
  readonly shadow?: RecordedShadow;
  edges: readonly number[] | undefined = undefined;
  private readonly countsEdges: boolean;
  private readonly instance: WasmInstance;
  private readonly reader: TraceReader;
  private steps = 0;

  constructor(module: WebAssembly.Module, contents: TraceContents) {
    this.instance = new WasmInstance(module);
    this.instance.hello();
    this.reader = new TraceReader(contents, 'answer');
    this.countsEdges = contents.edges > 0;
    if (contents.observes.includes('shadow')) this.shadow = new RecordedShadow();
  }

  create(config: MachineConfig): Observation {
    const { instance, reader } = this;
    this.steps = 0;
    this.edges = undefined;
    this.shadow?.clear();
    reader.begin(config);
    const input = instance.input();
    writeMachine(instance.words, input, config);
    const created = this.observation(instance.create(), 'created');
    this.shadow?.take(created.shadow);
    return created;
  }

  apply(step: Step): Observation {
    const { instance } = this;
    const input = instance.input();
    writeStep(instance.words, input, step);
    const observation = this.observation(instance.apply(), this.steps++);
    this.shadow?.take(observation.shadow);
    return observation;
  }

  destroy(): Observation {
    const at = this.instance.destroy();
    const destroyed = this.observation(at, 'destroyed');
    if (this.countsEdges) this.edges = this.edgesAt(at + 1 + this.instance.words[at]);
    if (!bareOutcome(destroyed.outcome.kind)) this.shadow?.clear();
    return destroyed;
  }

  /** `at`: the index of its length. */
  private observation(at: number, place: ObservationPlace): Observation {
    const end = this.endOf(at);
    return this.read((words) => this.reader.one(words, place, at + 1, end));
  }

  /** `at`: the index of their number. */
  private edgesAt(at: number): readonly number[] {
    const end = this.endOf(at);
    return this.read((words) => this.reader.edgesOf(words.subarray(at, end)));
  }

  /** Where a list ends whose length stands at this index. */
  private endOf(at: number): number {
    const { words } = this.instance;
    const length = words[at] ?? 0;
    if (length > MOST_TRACE_WORDS) {
      throw new NotAnObservation(`an answer of ${length} words; give at most ${MOST_TRACE_WORDS}`);
    }
    if (at + 1 + length <= words.length) return at + 1 + length;
    throw new NotAnObservation(`an answer of ${length} words, which ends beyond its memory; check the length`);
  }

  private read<Value>(reading: (words: Uint32Array) => Value): Value {
    try {
      return reading(this.instance.words);
    } catch (error) {
      if (error instanceof BadInput) throw new NotAnObservation(error.message);
      throw error;
    }
  }
}
