/** QEMU, which keeps the guest's memory in a file that we read and write, and shows registers over its monitor (QMP). */

import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readJson } from '../../properties/formats/index.js';
import type { Memory } from './machine.js';
import { MachineDied, ProcessMachine, memoryInFile } from './machine.js';

const MEMORY_BYTES = 16 * 2 ** 20;
/** Numbers of files in QEMU. */
const MEMORY_FILE = 3;
const MONITOR = 4;

/** A PC with a serial port and little else. When a triple fault resets it, it stands still instead, so that its registers can be read. */
const ARGUMENTS = [
  '-nodefaults -no-user-config -display none -accel tcg -cpu qemu32,+nx -no-reboot -no-shutdown',
  `-m ${MEMORY_BYTES / 2 ** 20} -machine pc,memory-backend=memory`,
  `-object memory-backend-file,id=memory,size=${MEMORY_BYTES},mem-path=/proc/self/fd/${MEMORY_FILE},share=on`,
  '-chardev stdio,id=line,signal=off -serial chardev:line',
  `-chardev socket,id=monitor,fd=${MONITOR} -mon chardev=monitor,mode=control`,
];

/** Milliseconds. */
const MONITOR_PATIENCE = 1000;

/** What the monitor writes, as far as we read it. */
interface Message {
  readonly QMP?: { readonly version: { readonly qemu: Readonly<Record<'major' | 'minor' | 'micro', number>> } };
  readonly event?: string;
  readonly return?: unknown;
}

export class QemuMachine extends ProcessMachine {
  override name = 'QEMU';
  readonly memory: Memory;
  private readonly monitor: Socket;
  private showRegisters: ((registers: string) => void) | undefined = undefined;

  constructor(kernel: string) {
    const file = memoryFile();
    super({
      name: 'QEMU',
      argv: ['qemu-system-i386', ...ARGUMENTS.join(' ').split(' '), '-kernel', kernel],
      remedy: 'apt-get install qemu-system-x86',
      needs: 'QEMU 5.0 or later is needed',
      files: [file, 'pipe'],
    });
    this.memory = memoryInFile(file, 0);
    this.monitor = this.child.stdio[MONITOR] as Socket;
    this.monitor.on('error', () => undefined);
    createInterface(this.monitor)
      .on('error', () => undefined)
      .on('line', (line) => this.hearMonitor(readJson(line, 'QEMU', 'answer') as Message));
    this.command('qmp_capabilities');
  }

  async registers(): Promise<string> {
    return await new Promise((resolve) => {
      this.showRegisters = resolve;
      setTimeout(resolve, MONITOR_PATIENCE, 'registers: the monitor does not answer');
      this.command('human-monitor-command', { 'command-line': 'info registers' });
    });
  }

  private command(execute: string, args = {}): void {
    this.monitor.write(`${JSON.stringify({ execute, arguments: args })}\n`);
  }

  private hearMonitor({ QMP, event, return: returned }: Message): void {
    if (QMP !== undefined) {
      const { major, minor, micro } = QMP.version.qemu;
      this.name = `QEMU ${major}.${minor}.${micro}, TCG`;
    }
    if (event === 'SHUTDOWN')
      this.ears?.died(new MachineDied('ended', 'the machine was reset, as after a triple fault'));
    if (typeof returned === 'string') this.showRegisters?.(returned.trim());
  }
}

/** It is gone from its directory before QEMU opens it, so that it never stays behind. */
const memoryFile = (): number => {
  const directory = mkdtempSync(join(tmpdir(), 'shadowdiff-metal-'));
  const path = join(directory, 'memory');
  writeFileSync(path, '');
  truncateSync(path, MEMORY_BYTES);
  const file = openSync(path, 'r+');
  rmSync(directory, { recursive: true });
  return file;
};
