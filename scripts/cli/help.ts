/** What `--help` tells beside the options. */

import type { Command } from 'commander';
import { EXIT_MEANINGS } from '../terminal/exit-codes.js';

/** A command line, and what it is good for. */
export type Example = readonly [line: string, purpose: string];

const CODE_COLUMNS = 4;

/** Adds examples and exit codes below the options. */
export const addHelp = (command: Command, examples: readonly Example[]): Command =>
  command.addHelpText(
    'after',
    [...listed('Examples:', examplesOf(examples)), ...listed('Exit codes:', CODES)].join('\n'),
  );

const listed = (title: string, lines: readonly string[]): readonly string[] => ['', title, ...lines];

/** Two lines each, so that they fit a narrow terminal. */
const examplesOf = (examples: readonly Example[]): readonly string[] =>
  examples.flatMap(([line, purpose]) => [`  ${line}`, `      ${purpose}`]);

const CODES = EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padEnd(CODE_COLUMNS)} ${meaning}`);
