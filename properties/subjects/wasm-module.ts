/** Reading a WebAssembly module: what is in it is foreign, and must be what formats.md (WebAssembly) says before any of it runs. */

/** The module cannot be a subject: what is wrong, `; `, and what to do about it. */
export class UnfitModule extends Error {
  override readonly name = 'UnfitModule';
}

const FUNCTIONS = [
  'shadowdiff_hello',
  'shadowdiff_input',
  'shadowdiff_create',
  'shadowdiff_apply',
  'shadowdiff_destroy',
] as const;

/** What a module exports. Nothing is known of what the functions return. */
export type WasmExports = { readonly memory: WebAssembly.Memory } & Readonly<
  Record<(typeof FUNCTIONS)[number], () => unknown>
>;

const PAGE = 2 ** 16;
/** 256 MiB. */
const MOST_PAGES = 4096;
const MEGABYTE = 2 ** 20;

/** Compiles a module whose memory cannot grow beyond 256 MiB. Throws `UnfitModule`. */
export const compiled = (bytes: Uint8Array): WebAssembly.Module => {
  const module = compile(bytes);
  const [needed] = WebAssembly.Module.imports(module);
  if (needed !== undefined) {
    throw new UnfitModule(
      `it imports ${needed.module}.${needed.name}; link it without imports, for clang with -nostdlib`,
    );
  }
  const exported = WebAssembly.Module.exports(module);
  const has = (name: string, kind: string): boolean =>
    exported.some((each) => each.name === name && each.kind === kind);
  for (const name of FUNCTIONS) {
    if (!has(name, 'function'))
      throw new UnfitModule(`it exports no function ${name}; include shadowdiff.h, or export it`);
  }
  if (!has('memory', 'memory')) throw new UnfitModule('it exports no memory; export it as "memory"');
  const memories = new Sections(bytes).memories();
  for (const memory of memories?.limits ?? []) checkMemory(memory);
  if (memories === undefined || memories.limits.every(({ most }) => most <= MOST_PAGES)) return module;
  return compile(withMemories(bytes, memories));
};

const compile = (bytes: Uint8Array): WebAssembly.Module => {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    const [, why = 'it cannot be compiled'] = /: (.*?)(?: @\+\d+)?$/.exec((error as Error).message) ?? [];
    throw new UnfitModule(`it is not a WebAssembly module: ${why}; build one with clang --target=wasm32`);
  }
};

const checkMemory = ({ flags, least }: MemoryLimits): void => {
  if (flags > 1) throw new UnfitModule('its memory is shared or not of 32 bits; build it for wasm32, without threads');
  if (least <= MOST_PAGES) return;
  const begins = `its memory begins with ${(least * PAGE) / MEGABYTE} MiB`;
  throw new UnfitModule(`${begins}; let it begin with at most ${(MOST_PAGES * PAGE) / MEGABYTE} MiB`);
};

// The memory section is rewritten so that the engine itself keeps the limit: a subject whose memory grows without end must not take the
// run along.

interface MemoryLimits {
  /** 1: there is a maximum. More: the memory is shared, or not of 32 bits. */
  readonly flags: number;
  /** Pages of 64 KiB. */
  readonly least: number;
  /** Infinite without a maximum. */
  readonly most: number;
}

interface MemorySection {
  /** Offsets of the section, its head included. */
  readonly from: number;
  readonly to: number;
  readonly limits: readonly MemoryLimits[];
}

/** Magic and version. */
const HEAD = 8;
const MEMORY_SECTION = 5;

/** Walks the sections of a module that compiles. */
class Sections {
  private readonly bytes: Uint8Array;
  private at = HEAD;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  memories(): MemorySection | undefined {
    while (this.at < this.bytes.length) {
      const from = this.at;
      const id = this.bytes[this.at++];
      const to = this.number() + this.at;
      if (id === MEMORY_SECTION) {
        return { from, to, limits: Array.from({ length: this.number() }, () => this.memory()) };
      }
      this.at = to;
    }
    return undefined;
  }

  private memory(): MemoryLimits {
    const flags = this.bytes[this.at++];
    return { flags, least: this.number(), most: (flags & 1) === 0 ? Infinity : this.number() };
  }

  /** LEB128: seven bits a byte, the lowest first; the highest bit is set in all but the last. */
  private number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }
}

const withMemories = (bytes: Uint8Array, { from, to, limits }: MemorySection): Uint8Array => {
  const content = [
    ...leb128(limits.length),
    ...limits.flatMap(({ least, most }) => [1, ...leb128(least), ...leb128(Math.min(most, MOST_PAGES))]),
  ];
  const section = [MEMORY_SECTION, ...leb128(content.length), ...content];
  return Buffer.concat([bytes.subarray(0, from), Buffer.from(section), bytes.subarray(to)]);
};

const leb128 = (value: number): readonly number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...leb128(Math.floor(value / 128))];
