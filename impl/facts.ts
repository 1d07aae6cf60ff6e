/** The facts that this machine tells of its state, each with its number. */

export const FACT = {
  guest: 1,
  failures: 2,
  word: 3,
  upperHalf: 4,
  protection: 5,
  slot: 6,
  guestRoot: 7,
  switcherCpu: 8,
  table: 9,
  leaf: 10,
} as const;
