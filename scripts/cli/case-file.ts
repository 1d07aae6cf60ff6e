/** Reads a program from a file or from standard input, bare or with the story of a counterexample around it. */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { BadInput, PROGRAM_FORMAT, programFromJson, readJson, shownValue } from '../../properties/formats/index.js';
import type { Case } from '../../properties/generators/index.js';
import { keepsContract } from '../../properties/contract.js';
import type { Finding } from '../../properties/finding.js';
import { COUNTEREXAMPLE_FORMATS, counterexampleFromJson } from '../../properties/corpus/counterexample.js';
import { readBounded, readTextFile } from '../../properties/corpus/store.js';
import type { Surroundings } from '../terminal/surroundings.js';

export const STDIN = '-';

/** A case, and the entry that it is stored in if there is one. */
export interface CaseFile {
  /** The path, or a name for standard input. */
  readonly source: string;
  readonly case: Case;
  readonly entry: Finding | undefined;
}

/** `path`: a file, or `-`. Throws `BadInput`. */
export const readCaseFile = async (path: string, surroundings: Surroundings): Promise<CaseFile> => {
  const source = path === STDIN ? 'standard input' : path;
  return caseFileFrom(await textOf(path, source, surroundings), source);
};

const textOf = async (path: string, source: string, { stdin }: Surroundings): Promise<string> => {
  if (path === STDIN) return readBounded(stdin(), source);
  return (await isPipe(path)) ? readBounded(createReadStream(path), source) : readTextFile(path);
};

/** Such as the shell's `<(…)`. A pipe that the user names is read; one among the files of a directory is not. */
const isPipe = async (path: string): Promise<boolean> => {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
};

const caseFileFrom = (text: string, source: string): CaseFile => {
  const json = readJson(text, source, 'file');
  const format = formatOf(json);
  if (COUNTEREXAMPLE_FORMATS.some((each) => each === format))
    return storedCase(counterexampleFromJson(json, source), source);
  if (format === PROGRAM_FORMAT) return bareCase(json, source);
  const formats = [PROGRAM_FORMAT, ...COUNTEREXAMPLE_FORMATS].map((each) => `"${each}"`).join(', ');
  const found = format === undefined ? 'missing' : `${shownValue(format)} is not known here`;
  throw new BadInput(source, `${found}; this version reads ${formats}`, { place: 'format' });
};

const formatOf = (json: unknown): unknown =>
  typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined;

/** A bare program does not state its traffic; the program itself decides. */
const bareCase = (json: unknown, source: string): CaseFile => {
  const program = programFromJson(json, source);
  return { source, case: { traffic: keepsContract(program) ? 'coherent' : 'hostile', program }, entry: undefined };
};

const storedCase = (entry: Finding, source: string): CaseFile => {
  if (entry.case.traffic === 'coherent' && !keepsContract(entry.case.program)) {
    throw new BadInput(source, 'the program breaks the contract of a coherent guest; write "hostile"', {
      place: 'traffic',
    });
  }
  return { source, case: entry.case, entry };
};
