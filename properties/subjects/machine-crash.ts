/** What a machine in this process threw, in words for a finding. */

import { shownValue, visible } from '../formats/index.js';

/** UTF-16 units. */
const MOST_MESSAGE = 500;
const MOST_NAME = 60;
const MOST_FRAMES = 6;

export interface Crash {
  /** The error, and where it was thrown. */
  readonly detail: string;
  /** For the signature, so without messages, lines and addresses: they differ from one program, or one build, to the next. */
  readonly did: string;
}

/** It may have thrown anything, and the thing itself may throw when it is looked at. */
export const crashOf = (thrown: unknown): Crash => {
  try {
    return thrown instanceof Error
      ? ofError(thrown)
      : { detail: `it threw ${shownValue(thrown)}`, did: 'threw no error' };
  } catch {
    return { detail: 'it threw something that cannot be looked at', did: 'threw no error' };
  }
};

/** Its members may be anything. */
const ofError = (error: { readonly name: unknown; readonly message: unknown; readonly stack?: unknown }): Crash => {
  const name = shortened(String(error.name), MOST_NAME);
  const message = shortened(String(error.message), MOST_MESSAGE);
  const frames = framesOf(String(error.stack));
  const where = frames.map(({ text }) => `, at ${text}`).join('');
  // A trap has no name of its own, and its message is one of a few.
  const what = error instanceof WebAssembly.RuntimeError ? shortened(message, MOST_NAME) : name;
  const place = frames[0]?.name;
  return { detail: `${name}: ${message}${where}`, did: `crashed: ${what}${place === undefined ? '' : ` in ${place}`}` };
};

interface StackFrame {
  /** The function and its file. */
  readonly text: string;
  /** The function, if it has a name. */
  readonly name: string | undefined;
}

const FRAME = /^\s+at (?:async )?(?:(.*) \((.*)\)|(.*))$/;
/** V8 names the module by a hash of its bytes. */
const WASM_FUNCTION = /^wasm:.*(wasm-function\[\d+\]):(0x[0-9a-f]+)$/;

/** Those of the machine: the frames below are of this package. */
const framesOf = (stack: string): readonly StackFrame[] => {
  const frames: StackFrame[] = [];
  for (const line of stack.split('\n')) {
    const [, called, file = '', bare = file] = FRAME.exec(line) ?? [];
    if (bare === '') continue;
    if (NODE.test(bare)) continue;
    if (OWN.test(line) || frames.length === MOST_FRAMES) break;
    frames.push(frameOf(called, bare));
  }
  return frames;
};

const NODE = /^node:/;
const OWN = /\b(?:ForeignMachine|ModuleSubject|WasmInstance)\b/;

const frameOf = (called: string | undefined, place: string): StackFrame => {
  const [, inModule, offset] = WASM_FUNCTION.exec(place) ?? [];
  const at = inModule === undefined ? place.slice(place.lastIndexOf('/') + 1) : `${inModule}:${offset}`;
  const name = called ?? inModule;
  return {
    text: shortened(called === undefined ? at : `${called} (${at})`, 2 * MOST_NAME),
    name: name === undefined ? undefined : shortened(name, MOST_NAME),
  };
};

const shortened = (text: string, most: number): string =>
  visible(text.length > most ? `${text.slice(0, most)}…` : text);
