/** The platforms that boot the kernel. Software emulation only; an accelerator is for the user to name (README.md). */

import { parseArgsStringToArgv } from 'string-argv';
import { bochsMachine } from './bochs-machine.js';
import type { Machine } from './machine.js';
import { ProcessMachine } from './machine.js';
import { QemuMachine } from './qemu-machine.js';
import { v86Machine } from './v86-machine.js';

/** Boots the kernel, a file. `platform`: `qemu`, `bochs`, `v86`, or a command with `{kernel}` in it whose standard input and output are the serial line. */
export const boot = async (platform: string, kernel: string): Promise<Machine> => {
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

const commandMachine = (command: string, kernel: string): Machine => {
  const argv = parseArgsStringToArgv(command).map((word) => word.replaceAll('{kernel}', kernel));
  return new ProcessMachine({ name: argv[0], argv, remedy: 'check its path' });
};
