/** Reads the values of options: numbers, shares, durations and modes. */

import { InvalidArgumentError, Option } from 'commander';
import { LONGEST_DURATION } from '../../../properties/campaign/campaign-bounds.js';
import { FEATURES } from '../../../model/vocabulary/index.js';
import { PROFILES } from '../../../properties/profile.js';
import type { ProgramOptions } from '../../../properties/generators/index.js';

/** Reads a whole number, both bounds included. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };

/** Reads the share of programs to judge in full, which cannot be none. */
export const judgedShare = (text: string): number => {
  const value = text === 'all' ? 1 : /^\d{1,3}(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Give "all", or a number up to 1 that is more than 0, such as 0.0625.');
};

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

/** `defaultText`: what holds without the option, where it has no default. */
export const caseTimeoutOption = (defaultText?: string): Option =>
  durationOption(
    '--case-timeout',
    'what a machine of your own (exec:, module:, …) may take for one program',
    defaultText,
  );

/** As `caseTimeoutOption`. */
export const startTimeoutOption = (defaultText?: string): Option =>
  durationOption('--start-timeout', 'what it may take from its start to its first answer', defaultText);

const durationOption = (flag: string, text: string, defaultText: string | undefined): Option =>
  new Option(`${flag} <duration>`, defaultText === undefined ? text : `${text} (default: ${defaultText})`).argParser(
    duration,
  );

export interface PagingFlag {
  readonly paging: ProgramOptions['paging'];
}

/** `fallback`: what holds where none is named, for the help. */
export const profileOption = (fallback: string): Option =>
  new Option(
    '--profile <name>',
    `what of both machines is looked at; architecture: what a CPU’s MMU shows (default: ${fallback})`,
  ).choices(PROFILES);

/** A run records in `run.json` which its programs had. */
export const featuresOption = (): Option =>
  new Option('--features <name...>', 'what the CPUs of programs may have, in the profile architecture').choices(
    FEATURES,
  );

export const pagingOption = (description: string): Option =>
  new Option('--paging <mode>', description).choices(['2-level', 'pae', 'both'] satisfies PagingFlag['paging'][]);
