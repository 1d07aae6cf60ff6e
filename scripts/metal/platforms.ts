/** The platforms that boot the kernel. Software emulation only; an accelerator is for the user to name (README.md). */

import { existsSync, readFileSync } from 'node:fs';
import { parseArgsStringToArgv } from 'string-argv';
import type { Feature } from '../../model/vocabulary/index.js';
import { bochsMachine } from './bochs-machine.js';
import type { Machine } from './machine.js';
import { MachineDied, ProcessMachine } from './machine.js';
import { QemuMachine } from './qemu-machine.js';
import { v86Machine } from './v86-machine.js';

/** Boots the kernel, a file. `platform`: `qemu`, `bochs`, `v86`, or a command with `{kernel}` in it whose standard input and output are the serial line. */
export const boot = async (platform: string, kernel: string): Promise<Machine> => {
  checkKernel(kernel);
  switch (platform) {
    case 'qemu':
      return new QemuMachine(kernel);
    case 'bochs':
      return await bochsMachine(kernel);
    case 'v86':
      return await v86Machine(kernel);
    default:
      return commandMachine(platform, kernel);
  }
};

/** What a platform is known to get wrong (corpus/FINDINGS.md, Emulators), so that its programs go without. */
export const wrongFeatures = (platform: string): readonly Feature[] => WRONG_FEATURES[platform] ?? [];

const WRONG_FEATURES: Readonly<Partial<Record<string, readonly Feature[]>>> = {
  qemu: ['reserved-bits'],
  v86: ['write-protect-off', 'reserved-bits', 'large-pages'],
};

const commandMachine = (command: string, kernel: string): Machine => {
  const argv = parseArgsStringToArgv(command).map((word) => word.replaceAll('{kernel}', kernel));
  return new ProcessMachine({ name: argv[0], argv, remedy: 'check its path' });
};

/** It travels with the package, so it is whole unless somebody changed it. */
const checkKernel = (kernel: string): void => {
  const start = existsSync(kernel) ? readFileSync(kernel).subarray(0, MULTIBOOT_REACH) : Buffer.alloc(0);
  if (start.indexOf(ELF) === 0 && start.includes(MULTIBOOT)) return;
  throw new MachineDied(
    'refused',
    `${kernel} is no multiboot kernel; install shadowdiff again, or run npm run build:metal`,
  );
};

const ELF = Buffer.from('\x7fELF', 'latin1');
const MULTIBOOT = Buffer.from([0x02, 0xb0, 0xad, 0x1b]);
/** The header lies in the first bytes of a kernel (Multiboot Specification, 3.1). */
const MULTIBOOT_REACH = 8192;
