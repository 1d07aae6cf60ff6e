/** A subject in an ECMAScript module of the user's: its default export makes machines (formats.md, Names for subjects). */

import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Machine } from '../../model/vocabulary/index.js';
import { BadInput, quoted, shownValue } from '../formats/index.js';
import type { Capabilities } from './capabilities.js';
import { capabilitiesOfMachine } from './capabilities.js';
import { crashOf } from './machine-crash.js';
import type { FileSubjectOptions } from './file-subject.js';
import { machineWithin, whyNoFile } from './file-subject.js';
import { ForeignMachine } from './foreign-machine.js';
import { checkedObservation } from './observation-check.js';
import type { InProcessSubject } from './subject.js';
import { OutOfTime, within } from './time-limit.js';

const REMEDY = 'end it with: export default () => new MyMachine()';

export class ModuleSubject implements InProcessSubject {
  readonly kind = 'in-process';
  readonly name: string;
  private readonly file: string;
  private readonly options: FileSubjectOptions;
  private make: (() => unknown) | undefined = undefined;
  private started: Promise<Capabilities> | undefined = undefined;

  /** @param file - from the current directory */
  constructor(file: string, options: FileSubjectOptions) {
    this.name = `module:${file}`;
    this.file = file;
    this.options = options;
  }

  readonly start = (): Promise<Capabilities> => (this.started ??= this.load());

  readonly create = (): ForeignMachine => {
    const { caseTimeout } = this.options;
    return new ForeignMachine(
      machineWithin(caseTimeout, () => this.newMachine()),
      { caseTimeout, check: checkedObservation },
    );
  };

  private async load(): Promise<Capabilities> {
    await this.checkFile();
    const make = this.maker(await this.imported());
    const machine = this.firstMachine(make);
    this.make = make;
    if (isMachine(machine)) return capabilitiesOfMachine(this.name, machine);
    if (machine instanceof Promise) {
      throw this.refusal('its default export returns a promise', 'await what it needs at the top of the module');
    }
    throw this.refusal(
      `its default export returns ${shownValue(machine)}, not a machine`,
      'return an object with create, apply and destroy',
    );
  }

  private async checkFile(): Promise<void> {
    if (this.file === '')
      throw new BadInput(this.options.where, 'no file is named; write module:FILE, such as module:./mine.js');
    const why = await whyNoFile(this.file);
    if (why !== undefined) throw this.refusal(why);
    if (!TYPESCRIPT.has(extname(this.file)) || stripsTypes()) return;
    throw this.refusal(
      `Node.js ${process.version} cannot load TypeScript`,
      'use Node.js 22.18 or later, or compile it to JavaScript',
    );
  }

  private async imported(): Promise<object> {
    const { startTimeout } = this.options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((done) => (timer = setTimeout(done, startTimeout, undefined)));
    try {
      // A variable, or bundlers would look for it.
      const url = pathToFileURL(resolve(this.file)).href;
      const namespace = (await Promise.race([import(/* @vite-ignore */ url), late])) as object | undefined;
      if (namespace !== undefined) return namespace;
    } catch (error) {
      throw this.refusal(`it cannot be loaded: ${crashOf(error).detail}`, 'mend it, or run it with node to see why');
    } finally {
      clearTimeout(timer);
    }
    throw this.refusal(
      `it is not loaded within ${startTimeout} ms`,
      'mend what it awaits, or give it more --start-timeout',
    );
  }

  private maker(namespace: object): () => unknown {
    if (!('default' in namespace)) throw this.refusal('it has no default export', REMEDY);
    const { default: exported } = namespace;
    if (typeof exported !== 'function') throw this.refusal('its default export is no function', REMEDY);
    if (isClass(exported)) throw this.refusal('its default export is a class', REMEDY);
    return exported as () => unknown;
  }

  private firstMachine(make: () => unknown): unknown {
    try {
      return within(this.options.startTimeout, make);
    } catch (error) {
      if (error instanceof OutOfTime) throw this.refusal(`its default export is ${error.message}`, 'mend it');
      throw this.refusal(`its default export fails: ${crashOf(error).detail}`, 'mend it');
    }
  }

  private newMachine(): Machine {
    const machine = this.make!();
    if (isMachine(machine)) return machine;
    throw new TypeError('the default export returned no machine this time');
  }

  private refusal(...problemAndRemedy: readonly string[]): BadInput {
    return new BadInput(this.options.where, `cannot use ${quoted(this.file)}: ${problemAndRemedy.join('; ')}`);
  }
}

const TYPESCRIPT: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts']);

const stripsTypes = (): boolean => 'typescript' in process.features && process.features.typescript !== false;

const isClass = (exported: object): boolean => /^class\b/.test(Function.prototype.toString.call(exported));

const METHODS = ['create', 'apply', 'destroy'] as const;

const isMachine = (value: unknown): value is Machine =>
  typeof value === 'object' &&
  value !== null &&
  METHODS.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function');
