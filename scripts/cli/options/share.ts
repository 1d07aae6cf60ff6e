import { InvalidArgumentError } from 'commander';

/** Reads a part of a whole, such as 0.25. */
export const share = (text: string): number => {
  const value = /^\d{1,3}(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;
  if (value <= 1) return value;
  throw new InvalidArgumentError('Give a number from 0 to 1, such as 0.25.');
};
