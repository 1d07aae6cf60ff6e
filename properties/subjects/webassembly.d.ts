/** The part of the WebAssembly interface that subjects need: neither ES2023 nor @types/node declares it. */

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    static exports(module: Module): { readonly name: string; readonly kind: string }[];
    static imports(module: Module): { readonly module: string; readonly name: string }[];
  }

  class Instance {
    constructor(module: Module);
    readonly exports: object;
  }

  interface Memory {
    /** Another one after the memory grew. */
    readonly buffer: ArrayBuffer;
  }

  /** A trap. */
  class RuntimeError extends Error {}
}
