/** The manual page, made from the help of the commands. */

import type { Command } from 'commander';
import { EXIT_MEANINGS } from '../terminal/exit-codes.js';
import { packageVersion } from '../own-package.js';
import { examplesOf } from './help.js';

/** In the macros of man(7). */
export const manualPage = (program: Command): string =>
  [
    `.TH SHADOWDIFF 1 "" "shadowdiff ${packageVersion()}" "User Commands"`,
    '.SH NAME',
    `shadowdiff \\- ${roff(program.description())}`,
    '.SH SYNOPSIS',
    `.B shadowdiff ${roff(program.usage())}`,
    '.SH COMMANDS',
    ...program.commands.flatMap((command) => commandLines(command, 'shadowdiff')),
    '.SH EXIT STATUS',
    ...EXIT_MEANINGS.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, roff(meaning)]),
    '',
  ].join('\n');

const commandLines = (command: Command, above: string): readonly string[] => {
  const help = command.createHelp();
  const path = `${above} ${command.name()}`;
  const examples = examplesOf(command);
  return [
    `.SS ${roff(`${path} ${command.usage()}`)}`,
    roff(command.description()),
    ...help.visibleArguments(command).flatMap((each) => item(help.argumentTerm(each), help.argumentDescription(each))),
    ...help.visibleOptions(command).flatMap((each) => item(help.optionTerm(each), help.optionDescription(each))),
    ...(examples.length === 0 ? [] : ['.PP', 'Examples:']),
    ...examples.flatMap(([line, purpose]) => item(line, purpose)),
    ...command.commands.flatMap((each) => commandLines(each, path)),
  ];
};

const item = (term: string, text: string): readonly string[] => ['.TP', `.B ${roff(term)}`, roff(text)];

/** Text of a line: a backslash, a hyphen that is typed, a quote that would begin an argument, and a line that would begin a request. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll('"', String.raw`\(dq`)
    .replace(/\s+/g, ' ')
    .replace(/^[.']/, String.raw`\&$&`);
