/** One worker with our kernel under an emulator, by way of memory and by way of the serial port. */

import type { Figure, Group, Round } from '../measurement.js';
import { figureOf } from '../measurement.js';
import { together } from './processes.js';

const ROUNDS = 3;

const SUBJECTS = {
  qemu: ['metal:qemu', 'QEMU, TCG, by way of memory'],
  v86: ['metal:v86', 'v86, by way of memory'],
  serial: [
    'metal:qemu-system-i386 -accel tcg -nodefaults -display none -no-reboot -serial stdio -kernel {kernel}',
    'QEMU, TCG, by way of the serial port',
  ],
} as const;

const measureMetal = async (): Promise<readonly Figure[]> => {
  const rounds: Round[] = [];
  while (rounds.length < ROUNDS) {
    const round: Record<string, number> = {};
    for (const [id, [subject]] of Object.entries(SUBJECTS)) round[id] = (await together(1, 'batches', subject)).byClock;
    rounds.push(round);
  }
  return Object.entries(SUBJECTS).map(([id, [, title]]) =>
    figureOf(
      { id: `metal-${id}`, title, unit: 'steps/s' },
      rounds.map((round) => round[id]),
    ),
  );
};

export const metal: Group = { name: 'metal', title: 'A kernel of ours under an emulator', measure: measureMetal };
