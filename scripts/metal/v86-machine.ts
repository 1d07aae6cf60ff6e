/** v86, an emulator in WebAssembly, in this process. It loads the kernel without a BIOS. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { V86 } from 'v86';
import type { Ears, Machine, Memory } from './machine.js';
import { MachineDied } from './machine.js';

const MEMORY_BYTES = 16 * 2 ** 20;
const VIDEO_BYTES = 2 ** 20;

export const v86Machine = async (kernel: string): Promise<Machine> => {
  const { V86: Emulator } = await loaded();
  const emulator = new Emulator({
    wasm_path: join(dirname(createRequire(import.meta.url).resolve('v86')), 'v86.wasm'),
    multiboot: { buffer: bytesOf(kernel) },
    memory_size: MEMORY_BYTES,
    vga_memory_size: VIDEO_BYTES,
    autostart: true,
  });
  return new V86Machine(emulator);
};

/** It is an optional dependency. */
const loaded = async (): Promise<typeof import('v86')> => {
  try {
    return await import('v86');
  } catch {
    throw new MachineDied('refused', 'the package v86 is not installed; npm install v86');
  }
};

const bytesOf = (path: string): ArrayBuffer => {
  const { buffer, byteOffset, length } = readFileSync(path);
  return buffer.slice(byteOffset, byteOffset + length);
};

class V86Machine implements Machine {
  readonly name = 'v86';
  readonly memory: Memory;
  private readonly emulator: V86;

  constructor(emulator: V86) {
    this.emulator = emulator;
    this.memory = {
      read: (at, length) => emulator.read_memory(at, length),
      write: (at, bytes) => emulator.write_memory(bytes, at),
    };
  }

  listen({ heard, died }: Ears): void {
    this.emulator.add_listener('serial0-output-byte', (byte) => heard(Uint8Array.of(byte)));
    // It runs in callbacks of the event loop, and what it cannot emulate it throws.
    process.on('uncaughtException', (error: unknown) => died(new MachineDied('ended', `v86: ${String(error)}`)));
  }

  send(bytes: Uint8Array): void {
    this.emulator.serial0_send(Buffer.from(bytes).toString('latin1'));
  }

  end(): void {
    void this.emulator.destroy();
  }
}
