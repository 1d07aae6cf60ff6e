/** A machine that has booted the kernel, as the adapter sees it: a serial line, its memory if the platform gives it, and its end. */

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readSync, writeSync } from 'node:fs';

/** What went wrong with a machine. The adapter exits with the number, so that each has a signature of its own. */
export const DEATHS = { refused: 2, exception: 10, ended: 11, silent: 12, babble: 13 } as const;
export type Death = keyof typeof DEATHS;

/** The machine is of no more use. The message is one line. */
export class MachineDied extends Error {
  override readonly name = 'MachineDied';
  readonly death: Death;

  constructor(death: Death, message: string) {
    super(message);
    this.death = death;
  }
}

/** The machine's physical memory. */
export interface Memory {
  read(at: number, length: number): Uint8Array;
  write(at: number, bytes: Uint8Array): void;
}

/** The memory that an open file holds; physical 0 is `base`. */
export const memoryInFile = (file: number, base: number): Memory => ({
  read: (at, length) => {
    const bytes = Buffer.allocUnsafe(length);
    readSync(file, bytes, 0, length, base + at);
    return bytes;
  },
  write: (at, bytes) => void writeSync(file, bytes, 0, bytes.length, base + at),
});

export interface Machine {
  /** For reports, such as `QEMU 7.2.22`. */
  readonly name: string;
  /** Left out: all goes by way of the serial line. */
  readonly memory?: Memory | undefined;
  /** Receives what the guest writes to the serial line, from now on. */
  listen(ears: Ears): void;
  send(bytes: Uint8Array): void;
  /** The CPU's registers, in lines; undefined if the platform does not show them. */
  registers?(): Promise<string>;
  end(): void;
}

export interface Ears {
  readonly heard: (bytes: Uint8Array) => void;
  /** It ended by itself, or cannot go on. */
  readonly died: (error: MachineDied) => void;
}

/** A process to start; `remedy`: what to do if there is no such command. */
export interface ProcessOptions {
  readonly name: string;
  readonly argv: readonly string[];
  readonly remedy: string;
  /** What it must be able to do, a clause: said if it ends before it has written anything. */
  readonly needs?: string;
  /** More files for it, from number 3 on; `pipe`: one that goes both ways. */
  readonly files?: readonly (number | 'pipe')[];
  readonly environment?: NodeJS.ProcessEnv;
}

/** A process. Its standard input and output are the serial line, unless a subclass has another. */
export class ProcessMachine implements Machine {
  readonly name: string;
  protected readonly child: ChildProcess;
  protected ears: Ears | undefined = undefined;
  private needs: string | undefined;
  private errors = '';
  private isEnding = false;

  constructor({ name, argv, remedy, needs, files = [], environment }: ProcessOptions) {
    const [command = '', ...args] = argv;
    this.name = name;
    this.needs = needs;
    this.child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe', ...files],
      env: { ...process.env, ...environment },
    });
    const { stdin, stdout, stderr } = this.child;
    stdin!.on('error', () => undefined);
    stdout!.on('data', (bytes: Buffer) => this.written(bytes));
    stderr!.on('data', (bytes: Buffer) => (this.errors = (this.errors + bytes.toString()).slice(-LAST_WORDS)));
    this.child.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? `there is no command ${JSON.stringify(command)}` : error.message;
      this.ears?.died(new MachineDied('refused', `${why}; ${remedy}`));
    });
    this.child.once('close', (code, signal) => this.closed(signal ?? `code ${code}`));
  }

  listen(ears: Ears): void {
    this.ears = ears;
  }

  send(bytes: Uint8Array): void {
    this.child.stdin!.write(bytes);
  }

  /** Takes what it writes to standard output. */
  protected written(bytes: Buffer): void {
    this.needs = undefined;
    this.ears?.heard(bytes);
  }

  end(): void {
    this.isEnding = true;
    this.child.kill('SIGKILL');
  }

  private closed(how: string): void {
    if (this.isEnding) return;
    const words = this.errors.trim().split('\n').at(-1);
    const why = [`the emulator ended with ${how}${words === '' ? '' : `: ${words}`}`, this.needs].filter(
      (each) => each !== undefined,
    );
    this.ears?.died(new MachineDied('ended', why.join('; ')));
  }
}

/** Characters of the end of standard error that are kept. */
const LAST_WORDS = 4096;
