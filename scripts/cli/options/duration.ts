import { InvalidArgumentError } from 'commander';
import { LONGEST_DURATION } from '../../../properties/campaign/campaign-bounds.js';

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `60s`, `1.5m`, `1h` in milliseconds; more than nothing, at most a day. */
export const duration = (text: string): number => {
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) {
    throw new InvalidArgumentError('Write a number and a unit, such as 500ms, 60s, 2m or 1h.');
  }
  const milliseconds = Math.round(Number(digits) * MILLISECONDS[unit]);
  if (milliseconds < 1 || milliseconds > LONGEST_DURATION) throw new InvalidArgumentError('Choose from 1ms to 24h.');
  return milliseconds;
};
