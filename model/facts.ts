/** The facts that the model tells of its state, each with its number. */

export const FACT = {
  guest: 1,
  failures: 2,
  word: 3,
  protection: 4,
  slot: 5,
  gpgdir: 6,
  switcherCpu: 7,
  middleTable: 8,
  leafTable: 9,
  leaf: 10,
} as const;
