/** Bochs, which boots from a floppy and reaches us by TCP: its serial port is a client's socket. */

import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessMachine } from './machine.js';

const FLOPPY_BYTES = 1440 * 1024;

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
    this.line = once(server, 'connection').then(([socket]) => this.attend(socket as Socket, server));
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

  private attend(socket: Socket, server: Server): Socket {
    server.close();
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => this.ears?.heard(bytes));
    // The kernel runs, so Bochs has opened all its files: nothing stays behind if we are killed.
    socket.once('data', () => this.tidy());
    return socket;
  }

  private tidy(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
