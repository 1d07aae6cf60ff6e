/** A subject in WebAssembly (formats.md, WebAssembly). */

import { readFile } from 'node:fs/promises';
import { BadInput, quoted, whyFailed } from '../formats/index.js';
import type { Capabilities } from './capabilities.js';
import { readHello } from './capabilities.js';
import { crashOf } from './machine-crash.js';
import type { FileSubjectOptions } from './file-subject.js';
import { machineWithin, whyNoFile } from './file-subject.js';
import { ForeignMachine, NotAnObservation } from './foreign-machine.js';
import type { InProcessSubject } from './subject.js';
import { OutOfTime, within } from './time-limit.js';
import { WasmInstance, WasmMachine } from './wasm-machine.js';
import { UnfitModule, compiled } from './wasm-module.js';

interface Loaded {
  readonly module: WebAssembly.Module;
  readonly capabilities: Capabilities;
}

export class WasmSubject implements InProcessSubject {
  readonly kind = 'in-process';
  readonly name: string;
  private readonly file: string;
  private readonly options: FileSubjectOptions;
  private loading: Promise<Loaded> | undefined = undefined;
  private loaded: Loaded | undefined = undefined;

  /** @param file - from the current directory */
  constructor(file: string, options: FileSubjectOptions) {
    this.name = `wasm:${file}`;
    this.file = file;
    this.options = options;
  }

  readonly start = async (): Promise<Capabilities> => {
    this.loaded = await (this.loading ??= this.load());
    return this.loaded.capabilities;
  };

  readonly create = (): ForeignMachine => {
    const { caseTimeout } = this.options;
    const { module, capabilities } = this.loaded!;
    const machine = machineWithin(caseTimeout, () => new WasmMachine(module, capabilities));
    return new ForeignMachine(machine, { caseTimeout, ownViews: true });
  };

  private async load(): Promise<Loaded> {
    const bytes = await this.read();
    const { startTimeout } = this.options;
    try {
      const module = compiled(bytes);
      const hello = within(startTimeout, () => new WasmInstance(module).hello());
      return { module, capabilities: this.capabilitiesIn(hello) };
    } catch (error) {
      throw this.refusal(error);
    }
  }

  private async read(): Promise<Uint8Array> {
    const { file } = this;
    if (file === '') {
      throw new BadInput(this.options.where, 'no file is named; write wasm:FILE, such as wasm:./mine.wasm');
    }
    const why = await whyNoFile(file);
    if (why !== undefined) throw new BadInput(this.options.where, `cannot use ${quoted(file)}: ${why}`);
    try {
      return await readFile(file);
    } catch (error) {
      const remedy = 'change its rights, or name another file';
      throw new BadInput(this.options.where, `cannot use ${quoted(file)}: ${whyFailed(error)}; ${remedy}`);
    }
  }

  private capabilitiesIn(hello: string): Capabilities {
    const capabilities = readHello(hello, this.name, this.name);
    if (capabilities !== undefined) return capabilities;
    throw new UnfitModule(`its hello is ${quoted(hello)}; answer {"format":"shadowdiff-hello/2"}, and what it can do`);
  }

  /** Why it cannot be used. What is wrong with a member of the hello has the subject's name in its message. */
  private refusal(error: unknown): unknown {
    if (error instanceof BadInput) return error;
    return new BadInput(this.options.where, `cannot use ${quoted(this.file)}: ${problemOf(error)}`);
  }
}

const problemOf = (error: unknown): string => {
  if (error instanceof UnfitModule || error instanceof NotAnObservation) return error.message;
  if (error instanceof OutOfTime) return `its hello is ${error.message}; mend it, or give it more --start-timeout`;
  return `it fails when it is started: ${crashOf(error).detail}; mend it`;
};
