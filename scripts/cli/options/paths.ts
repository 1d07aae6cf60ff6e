/** Paths on a command line. */

import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';

/** An empty path comes from a script whose variable is not set, and would mean the current directory. */
const path = (text: string): string => {
  if (text === '') throw new InvalidArgumentError('Give a path.');
  return text;
};

/** Several are collected. */
const paths = (text: string, before: readonly string[] = []): readonly string[] => [...before, path(text)];

/** Reads every `<file>` and `<directory>` of a command as a path. */
export const readPaths = ({ options, registeredArguments }: Command): void => {
  for (const option of options) if (/<(?:file|directory)>$/.test(option.flags)) option.argParser(path);
  for (const argument of registeredArguments) {
    if (!/^(?:file|directory)$/.test(argument.name())) continue;
    if (argument.variadic) argument.argParser(paths);
    else argument.argParser(path);
  }
};
