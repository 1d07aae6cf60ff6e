/**
 * Bochs, which boots from a floppy and reaches us by TCP: its serial port is a client's socket. The guest's memory is part of the process,
 * which on Linux we, its parent, may read and write.
 */

import {
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Memory } from './machine.js';
import { ProcessMachine, memoryInFile } from './machine.js';

const FLOPPY_BYTES = 1440 * 1024;
const SECTOR_BYTES = 512;

/**
 * The serial port takes as long for a byte as a real one would in instructions, and `ips` is how many make a second: at this rate it is never
 * what the kernel waits for.
 */
const configuration = (directory: string, port: number): string => `
plugin_ctrl: speaker=0
config_interface: textconfig
display_library: term
romimage: file=$BXSHARE/BIOS-bochs-legacy
vgaromimage: file=$BXSHARE/VGABIOS-lgpl-latest
cpu: model=p3_katmai, ips=1000000
memory: guest=16, host=16
pci: enabled=0
floppya: 1_44=${join(directory, 'floppy')}, status=inserted
boot: floppy
com1: enabled=1, mode=socket-client, dev=127.0.0.1:${port}
clock: sync=none
log: ${join(directory, 'log')}
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
`;

/** `kernel`: the ELF file; the floppy lies beside it. */
export const bochsMachine = async (kernel: string): Promise<BochsMachine> => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new BochsMachine(kernel.replace(/\.elf$/, '.img'), server);
};

class BochsMachine extends ProcessMachine {
  override name = 'Bochs';
  /** Known once the kernel runs. */
  memory: Memory | undefined = undefined;
  private readonly directory: string;
  private readonly line: Promise<Socket>;

  constructor(floppy: string, server: Server) {
    const directory = mkdtempSync(join(tmpdir(), 'shadowdiff-metal-'));
    const file = join(directory, 'configuration');
    writeFileSync(file, configuration(directory, (server.address() as AddressInfo).port));
    copyFileSync(floppy, join(directory, 'floppy'));
    truncateSync(join(directory, 'floppy'), FLOPPY_BYTES);
    super({
      name: 'Bochs',
      argv: ['bochs', '-q', '-f', file],
      remedy: 'apt-get install bochs bochs-term bochsbios vgabios',
      environment: { TERM: 'vt100' },
    });
    this.directory = directory;
    // A build with a debugger waits for the command to go on.
    this.child.stdin!.write('c\n');
    this.line = once(server, 'connection').then(([socket]) => this.attend(socket as Socket, server, floppy));
  }

  override send(bytes: Uint8Array): void {
    void this.line.then((socket) => socket.write(bytes));
  }

  override end(): void {
    super.end();
    this.tidy();
  }

  protected override written(bytes: Buffer): void {
    const [, version] = /Bochs x86 Emulator ([\d.]+)/.exec(bytes.toString()) ?? [];
    if (version !== undefined) this.name = `Bochs ${version}`;
  }

  private attend(socket: Socket, server: Server, floppy: string): Socket {
    server.close();
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    // The kernel runs, so Bochs has opened all its files: nothing stays behind if we are killed.
    socket.once('data', () => {
      this.tidy();
      this.memory = memoryOf(this.child.pid!, floppy);
    });
    socket.on('data', (bytes) => this.ears?.heard(bytes));
    return socket;
  }

  private tidy(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Where the kernel lies in the guest (guest/layout.h). */
const KERNEL = 0x100000;
/** How much of its beginning tells it from everything else. */
const SAMPLE_BYTES = 64;
const PAGE_BYTES = 4096;

/**
 * The guest's memory from 1 MB to 2 MB. Bochs gives the guest memory in blocks of 128 kB when it touches them; the boot sector touches
 * these in one sweep, so they lie together, and the kernel at their beginning shows where. Undefined where we may not look into the process.
 */
const memoryOf = (pid: number, floppy: string): Memory | undefined => {
  const sample = readFileSync(floppy).subarray(SECTOR_BYTES, SECTOR_BYTES + SAMPLE_BYTES);
  try {
    const file = openSync(`/proc/${pid}/mem`, 'r+');
    for (const [, start, end] of readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(OWN_MEMORY)) {
      const at = parseInt(start, 16);
      const bytes = Buffer.alloc(parseInt(end, 16) - at);
      readSync(file, bytes, 0, bytes.length, at);
      const found = pageThatBegins(bytes, sample);
      if (found !== undefined) return memoryInFile(file, at + found - KERNEL);
    }
  } catch {
    // Not Linux, or not allowed: the serial port does too.
  }
  return undefined;
};

/** A line of `maps`: memory that is read and written, and belongs to no file. */
const OWN_MEMORY = /^(\w+)-(\w+) rw-p 0+ 00:00 0\s*$/gm;

const pageThatBegins = (bytes: Buffer, sample: Buffer): number | undefined => {
  for (let at = bytes.indexOf(sample); at !== -1; at = bytes.indexOf(sample, at + 1)) {
    if (at % PAGE_BYTES === 0) return at;
  }
  return undefined;
};
