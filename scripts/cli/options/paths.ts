/** Paths on a command line. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { packageDirectory } from '../../own-package.js';
import { printable } from '../../terminal/printable.js';
import { DEFAULT_CORPUS } from '../../terminal/result-directory.js';
import type { Session } from '../../terminal/session.js';

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

/** Of a command that only reads a corpus. */
export interface ReadCorpusFlag {
  readonly corpus?: string;
}

export const addReadCorpus = (command: Command): Command =>
  command.option(
    '--corpus <directory>',
    `the corpus to read (default: ${DEFAULT_CORPUS}, or that of the package where there is none)`,
  );

/** The corpus that a command reads. If it is that of the package, a line on standard error names it. */
export const corpusToRead = ({ corpus }: ReadCorpusFlag, session: Session): string => {
  if (corpus !== undefined) return corpus;
  if (existsSync(DEFAULT_CORPUS)) return DEFAULT_CORPUS;
  const ofPackage = join(packageDirectory(), DEFAULT_CORPUS);
  session.complain(
    `shadowdiff: ./${DEFAULT_CORPUS} does not exist; reading the corpus of the package, ${printable(ofPackage)}`,
  );
  return ofPackage;
};
