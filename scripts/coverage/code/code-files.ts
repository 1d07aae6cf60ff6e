/**
 * The files whose code is measured, and which of their lines are code. c8 takes every line of a file for one that can run,
 * types, comments and blank lines too, and counts those as covered; a line that the compiler made nothing of is none.
 */

import { readFile, readdir } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { BadInput } from '../../../properties/formats/index.js';

const FOLDERS = ['impl', 'model'] as const;
export type Folder = (typeof FOLDERS)[number];

/**
 * No part of a machine: bugs to plant, and the reading and writing of files, which has no part in running a program.
 */
const APART = ['impl/defects/'];

export interface CodeFile {
  readonly folder: Folder;
  /** From the package's directory: `impl/demand.ts`. */
  readonly name: string;
  /** Absolute paths. */
  readonly compiled: string;
  readonly source: string;
  /** The source's lines, without their ends. */
  readonly text: readonly string[];
  /** Numbers, from 1, of the lines that are code. */
  readonly codeLines: ReadonlySet<number>;
}

/**
 * Every file with code, in order of names. `compiled`: the directory of the compiled package. Throws `BadInput` if a source or
 * a source map is missing.
 */
export const codeFiles = async (compiled: string): Promise<readonly CodeFile[]> => {
  const files: CodeFile[] = [];
  for (const folder of FOLDERS) {
    for (const path of await scriptsBelow(join(compiled, folder))) {
      const name = relative(compiled, path).replaceAll(sep, '/').replace(/js$/, 'ts');
      if (APART.some((prefix) => name.startsWith(prefix))) continue;
      const file = await codeFile(folder, name, path);
      if (file.codeLines.size > 0) files.push(file);
    }
  }
  return files;
};

const scriptsBelow = async (directory: string): Promise<readonly string[]> => {
  const names = await readdir(directory, { recursive: true }).catch(() => {
    throw new BadInput(directory, 'the compiled code is not there; run: npm run build');
  });
  return names
    .filter((name) => name.endsWith('.js') && !name.endsWith('.test.js'))
    .sort()
    .map((name) => join(directory, name));
};

const codeFile = async (folder: Folder, name: string, compiled: string): Promise<CodeFile> => {
  const map = JSON.parse(await readOrRefuse(`${compiled}.map`)) as ConstructorParameters<typeof SourceMap>[0];
  const source = resolve(dirname(compiled), map.sources[0]);
  const text = (await readOrRefuse(source)).split(/\r?\n/);
  const script = (await readOrRefuse(compiled)).split('\n');
  const codeLines = new Set([...mappedLines(script, new SourceMap(map))].filter((line) => !isComment(text[line - 1])));
  return { folder, name, compiled, source, text, codeLines };
};

/** Without its source the coverage of a file cannot be shown, and c8 would drop the file from the figures and say nothing. */
const readOrRefuse = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = (error as Error).message;
    throw new BadInput(
      path,
      `coverage of code needs it: ${why}; install shadowdiff whole, or delete dist and build it anew`,
    );
  }
};

/** Numbers, from 1, of the source's lines that something in the script comes from. */
const mappedLines = (script: readonly string[], map: SourceMap): ReadonlySet<number> => {
  const lines = new Set<number>();
  for (const [line, { length }] of script.entries()) {
    for (let column = 0; column < length; column++) {
      const entry = map.findEntry(line, column);
      if ('originalLine' in entry && entry.generatedLine === line) lines.add(entry.originalLine + 1);
    }
  }
  return lines;
};

/** The compiler maps the comments that it keeps. */
const isComment = (line: string): boolean => /^\s*(\/\/|\/\*|\*)/.test(line);
