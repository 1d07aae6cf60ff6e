/** The look of `--help`: as wide as the terminal, with examples and exit codes below the options. */

import type { Command } from 'commander';
import { Help } from 'commander';
import { EXIT_MEANINGS } from '../terminal/exit-codes.js';
import { wrapped } from '../terminal/labelled.js';
import type { Output } from '../terminal/surroundings.js';

/** A command line, and what it is good for. */
export type Example = readonly [line: string, purpose: string];

/** Columns of output that is no terminal, or of a terminal that does not know its size. */
const FALLBACK_WIDTH = 80;
const LEAST_WIDTH = 40;
/** In front of a term, and between it and a text beside it. */
const GAPS = 4;
/** In front of a text below its term. */
const MARGIN = 6;
const CODE_COLUMNS = 4;

/** Columns of the help on this output. */
export const helpWidth = ({ columns }: Pick<Output, 'columns'>): number =>
  Math.max(LEAST_WIDTH, columns === undefined || columns === 0 ? FALLBACK_WIDTH : columns);

/** An option, an argument or a command. Commander leaves its text unbroken on a narrow terminal; here it goes below the term. */
export const helpItem: Help['formatItem'] = (term, termWidth, text, helper) => {
  const width = helper.helpWidth ?? FALLBACK_WIDTH;
  const fits = width - termWidth - GAPS >= helper.minWidthToWrap;
  if (fits || text === '') return Help.prototype.formatItem.call(helper, term, termWidth, text, helper);
  return [`  ${term}`, ...below(text, width)].join('\n');
};

const examplesBelow = new WeakMap<Command, readonly Example[]>();

export const examplesOf = (command: Command): readonly Example[] => examplesBelow.get(command) ?? [];

/** Adds examples and exit codes below the options. */
export const addHelp = (command: Command, examples: readonly Example[]): Command => {
  examplesBelow.set(command, examples);
  return command.addHelpText('after', ({ command: shown, error }) => {
    const output = shown.configureOutput();
    const width = (error ? output.getErrHelpWidth?.() : output.getOutHelpWidth?.()) ?? FALLBACK_WIDTH;
    // An example is not broken, so that it can be pasted.
    const shownExamples = examples.flatMap(([line, purpose]) => [`  ${line}`, ...below(purpose, width)]);
    return ['', 'Examples:', ...shownExamples, '', 'Exit codes:', ...exitCodes(width)].join('\n');
  });
};

const below = (text: string, width: number): readonly string[] =>
  wrapped(text, width - MARGIN).map((line) => ' '.repeat(MARGIN) + line);

const exitCodes = (width: number): readonly string[] =>
  EXIT_MEANINGS.flatMap(([code, meaning]) => {
    const start = `  ${String(code).padEnd(CODE_COLUMNS)} `;
    const [first, ...others] = wrapped(meaning, width - start.length);
    return [start + first, ...others.map((line) => ' '.repeat(start.length) + line)];
  });
