/**
 * The files whose code is measured, and which of their lines are code. c8 counts every line of a file as covered code, including types,
 * comments and blank lines. Here, a line is code if the compiler emitted something for it.
 */

import { readFile, readdir } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { BadInput, whyFailed } from '../../../properties/formats/index.js';

const FOLDERS = ['impl', 'model'] as const;
export type Folder = (typeof FOLDERS)[number];

/** Planted bugs are not part of a machine. */
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
  /** The numbers, from 1, of the lines that are code. */
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

/** c8 would silently leave out a file without a source. */
const readOrRefuse = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = whyFailed(error);
    throw new BadInput(
      path,
      `coverage of code needs it: ${why}; install shadowdiff whole, or delete dist and build it anew`,
    );
  }
};

/** The numbers, from 1, of the source lines that the script was compiled from. */
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

/** The compiler keeps comments, and maps them. */
const isComment = (line: string): boolean => /^\s*(\/\/|\/\*|\*)/.test(line);
