/** Subjects in WebAssembly, assembled by hand: tests need no compiler for them. */

/** Instructions of a function. */
export const CODE = {
  /** A trap. */
  unreachable: [0x00],
  loopForever: [0x03, 0x40, 0x0c, 0x00, 0x0b],
  constant: (value: number): readonly number[] => [0x41, ...signedLeb128(value)],
  drop: [0x1a],
  /** From a number of pages to that of pages before, or −1. */
  growMemory: [0x40, 0x00],
  load: [0x28, 0x02, 0x00],
  /** Of a value, at the address below it. */
  store: [0x36, 0x02, 0x00],
  add: [0x6a],
  isEqual: [0x46],
  /** If the value is not zero. */
  when: (then: readonly number[]): readonly number[] => [0x04, 0x40, ...then, 0x0b],
} as const;

/** Adds one to the word at an address, and leaves the sum. */
export const countAt = (address: number): readonly number[] => [
  ...CODE.constant(address),
  ...CODE.constant(address),
  ...CODE.load,
  ...CODE.constant(1),
  ...CODE.add,
  ...CODE.store,
  ...CODE.constant(address),
  ...CODE.load,
];

/** Addresses. */
const AT = { hello: 64, input: 1024, created: 2048, applied: 3072, destroyed: 4096 } as const;
export const COUNTER = 5120;

export interface WasmParts {
  readonly hello?: string;
  /** Words of each answer, without their number. By default a machine with one host CPU that answers `ok` to every step. */
  readonly created?: readonly number[];
  readonly applied?: readonly number[];
  readonly destroyed?: readonly number[];
  /** Of its own code, which it lists behind `destroyed`. */
  readonly edges?: readonly number[];
  /** What a function does instead of returning the address of its answer. */
  readonly code?: Readonly<Partial<Record<WasmFunction, readonly number[]>>>;
  readonly without?: WasmFunction | 'memory';
  /** Pages of 64 KiB; false: there is none. */
  readonly memory?: { readonly least: number; readonly most?: number };
  /** A function to import. */
  readonly imported?: readonly [module: string, name: string];
}

const FUNCTIONS = ['hello', 'input', 'create', 'apply', 'destroy'] as const;
type WasmFunction = (typeof FUNCTIONS)[number];

const CREATED = 0;
const OK = 3;
const DESTROYED = 11;
/** References, stores, tables, and the Switcher's text, registers and state. */
const CALM = [0, 0, 2, 1, 0, 0];

export const HELLO = '{"format":"shadowdiff-hello/2"}';

/** The bytes of a module. */
export const wasmSubject = (parts: WasmParts = {}): Uint8Array => {
  const { memory = { least: 1 }, code = {}, without, imported } = parts;
  const returns: Readonly<Record<WasmFunction, readonly number[]>> = {
    hello: CODE.constant(AT.hello),
    input: CODE.constant(AT.input),
    create: CODE.constant(AT.created),
    apply: CODE.constant(AT.applied),
    destroy: CODE.constant(AT.destroyed),
  };
  const first = imported === undefined ? 0 : 1;
  const exported = [
    ...FUNCTIONS.map((name, index) => ({ name, bytes: [...text(`shadowdiff_${name}`), 0, first + index] })),
    { name: 'memory', bytes: [...text('memory'), 2, 0] },
  ].filter(({ name }) => name !== without);
  return Uint8Array.from([
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, [[0x60, 0, 1, 0x7f]]),
    ...(imported === undefined ? [] : section(2, [[...text(imported[0]), ...text(imported[1]), 0, 0]])),
    ...section(
      3,
      FUNCTIONS.map(() => [0]),
    ),
    ...section(5, [
      memory.most === undefined ? [0, ...leb128(memory.least)] : [1, ...leb128(memory.least), ...leb128(memory.most)],
    ]),
    ...section(
      7,
      exported.map(({ bytes }) => bytes),
    ),
    ...section(
      10,
      FUNCTIONS.map((name) => sized([0, ...(code[name] ?? returns[name]), 0x0b])),
    ),
    ...section(11, [
      data(AT.hello, [...new TextEncoder().encode(parts.hello ?? HELLO), 0]),
      data(AT.created, words(parts.created ?? [CREATED, ...CALM])),
      data(AT.applied, words(parts.applied ?? [OK, ...CALM])),
      data(AT.destroyed, [
        ...words(parts.destroyed ?? [DESTROYED, 0, 0, 0, 0, 0, 0]),
        ...(parts.edges === undefined ? [] : words(parts.edges)),
      ]),
    ]),
  ]);
};

const data = (at: number, bytes: readonly number[]): readonly number[] => [
  0,
  ...CODE.constant(at),
  0x0b,
  ...sized(bytes),
];

/** An answer in memory: its length goes before it. */
const words = (answer: readonly number[]): readonly number[] =>
  [answer.length, ...answer].flatMap((word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24]);

const section = (id: number, members: readonly (readonly number[])[]): readonly number[] => [
  id,
  ...sized([...leb128(members.length), ...members.flat()]),
];

const sized = (bytes: readonly number[]): readonly number[] => [...leb128(bytes.length), ...bytes];

const text = (name: string): readonly number[] => sized([...new TextEncoder().encode(name)]);

const leb128 = (value: number): readonly number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...leb128(Math.floor(value / 128))];

const signedLeb128 = (value: number): readonly number[] =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signedLeb128(value >> 7)];
