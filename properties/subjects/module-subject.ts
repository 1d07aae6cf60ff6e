/** A subject in an ECMAScript module of the user's: its default export makes machines (formats.md, Names for subjects). */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
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
import { LONGEST_TIMER, OutOfTime, within } from './time-limit.js';

const REMEDY = 'end it with: export default () => new MyMachine()';

export interface ModuleOptions extends FileSubjectOptions {
  /** What its machines can do, if it was loaded in another process. */
  readonly known?: Capabilities | undefined;
}

export class ModuleSubject implements InProcessSubject {
  readonly kind = 'in-process';
  readonly name: string;
  private readonly file: string;
  private readonly options: ModuleOptions;
  private make: (() => unknown) | undefined = undefined;
  private started: Promise<Capabilities> | undefined = undefined;

  /** @param file - from the current directory */
  constructor(file: string, options: ModuleOptions) {
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
      throw new BadInput(this.options.where, 'no file is named; write module:FILE, such as module:./mine.mjs');
    const why = await whyNoFile(this.file);
    if (why !== undefined) throw this.refusal(why);
    if (!TYPESCRIPT.has(extname(this.file)) || stripsTypes()) return;
    throw this.refusal(
      `Node.js ${process.version} cannot load TypeScript`,
      'use Node.js 22.18 or later, or compile it to JavaScript',
    );
  }

  private async imported(): Promise<object> {
    const url = pathToFileURL(resolve(this.file)).href;
    const { startTimeout, known } = this.options;
    try {
      const hangs = known === undefined && !imports.has(url) && (await hangsAtTop(url, startTimeout));
      if (!hangs) return await importOnce(url);
    } catch (error) {
      throw this.refusal(`it cannot be loaded: ${crashOf(error).detail}`, remedyFor(error));
    }
    throw this.refusal(
      `it is not loaded within ${startTimeout} ms`,
      'mend what its top level does or awaits, or give it more --start-timeout',
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

/** Modules that run in this process, by address. */
const imports = new Map<string, Promise<object>>();

const importOnce = (url: string): Promise<object> => {
  // A variable, or bundlers would look for it.
  const importing = imports.get(url) ?? (import(/* @vite-ignore */ url) as Promise<object>);
  imports.set(url, importing);
  return importing;
};

const IMPORT = 'await import(process.argv[1]); process.exit()';
/** What Node.js exits with if a top level awaits what never comes. */
const NEVER_LOADED = 13;

/**
 * Nothing can end a top level that loops without ending its process. So a process of its own imports the module first, and is killed after
 * `startTimeout` milliseconds. Whatever else goes wrong there shows when this process imports it.
 */
const hangsAtTop = async (url: string, startTimeout: number): Promise<boolean> => {
  const timeout = Math.min(startTimeout, LONGEST_TIMER);
  const words = [...process.execArgv, '--input-type=module', '--eval', IMPORT, url];
  const child = spawn(process.execPath, words, { stdio: 'ignore', timeout, killSignal: 'SIGKILL' });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('exit', kill);
  return child.killed || code === NEVER_LOADED;
};

/**
 * An error that nothing caught, such as one in a timer or a promise. In a process that runs modules of the user's it becomes a `BadInput`
 * that names them.
 */
export const blamedOnModules = (error: unknown): unknown => {
  if (imports.size === 0) return error;
  const files = [...imports.keys()].map((url) => fileURLToPath(url)).join(', ');
  const remedy = 'catch it in the module, or report it if it comes from shadowdiff';
  return new BadInput(files, `it failed outside of the calls of its machines: ${crashOf(error).detail}; ${remedy}`);
};

/** A .js file is no ECMAScript module where package.json has the type "commonjs", which `npm init` writes. */
const remedyFor = (error: unknown): string =>
  error instanceof SyntaxError && /outside a module|Unexpected token 'export'/.test(error.message)
    ? 'name it .mjs, or put "type": "module" into package.json'
    : 'mend it, or run it with node to see why';

const TYPESCRIPT: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts']);

const stripsTypes = (): boolean => 'typescript' in process.features && process.features.typescript !== false;

const isClass = (exported: object): boolean => /^class\b/.test(Function.prototype.toString.call(exported));

const METHODS = ['create', 'apply', 'destroy'] as const;

const isMachine = (value: unknown): value is Machine =>
  typeof value === 'object' &&
  value !== null &&
  METHODS.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function');
