/** A corpus on disk: a directory of findings, one file each; and which of them are redundant. */

import { constants, existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { signatureOf } from '../divergence.js';
import { BadInput, whyFailed } from '../formats/index.js';
import { compareWorth } from '../formats/program-format.js';
import type { Finding } from '../finding.js';
import { areAlike, shapeOf } from '../namesakes.js';
import { fileNameOf, formatCounterexample, parseCounterexample } from './counterexample.js';

/** Bytes; the longest program that fits the formats stays far below. */
export const LARGEST_FILE = 16 * 2 ** 20;

export type StoredFinding = Finding & { readonly file: string };

/** A file of the corpus that holds no finding, and why. */
export interface UnreadableFile {
  readonly file: string;
  readonly problem: string;
}

export type CorpusFile = StoredFinding | UnreadableFile;

export const isReadable = (stored: CorpusFile): stored is StoredFinding => !('problem' in stored);

/**
 * Opens a file to read. Throws `BadInput` if it is missing, unreadable, or not a regular file: a pipe or a device may keep its reader
 * waiting, or never end.
 */
export const openFile = async (path: string): Promise<FileHandle> => {
  // Without the second flag opening a pipe waits for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new BadInput(path, whyUnreadable(error));
  });
  const kind = await file.stat();
  if (kind.isFile()) return file;
  await file.close();
  throw new BadInput(path, kind.isDirectory() ? A_DIRECTORY : A_PIPE);
};

/** Reads a text file. Throws `BadInput` if it cannot be opened, or is too large. */
export const readTextFile = async (path: string): Promise<string> => {
  const file = await openFile(path);
  return await readBounded(file.createReadStream({ end: LARGEST_FILE }), path);
};

/** The bytes of a stream, piece by piece. Throws `BadInput` if they cannot be read. */
export async function* readPieces(stream: Readable, source: string): AsyncGenerator<Buffer, void> {
  try {
    for await (const piece of stream as AsyncIterable<Buffer | string>)
      yield typeof piece === 'string' ? Buffer.from(piece) : piece;
  } catch (error) {
    throw isOfSystem(error) ? new BadInput(source, whyUnreadable(error)) : error;
  }
}

/** The whole of a stream, which may be endless. Throws `BadInput` if it cannot be read, or is longer than the largest file. */
export const readBounded = async (stream: Readable, source: string): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const piece of readPieces(stream, source)) {
    bytes += piece.length;
    if (bytes > LARGEST_FILE)
      throw new BadInput(source, `more than ${LARGEST_FILE} bytes; a program or counterexample has less`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** A text, or its pieces in order: what is too long for one string, or is made while it is written. */
export type Text = string | Iterable<string> | AsyncIterable<string>;

/**
 * Writes a text file, whole or not at all. Throws `BadInput` if that fails, and what making the text throws; `remedy` is what helps if
 * free space does not.
 */
export const writeTextFile = async (path: string, text: Text, remedy: string): Promise<void> => {
  try {
    await writeWhole(path, text);
  } catch (error) {
    throw isOfSystem(error) ? unwritable(path, error, remedy) : error;
  }
};

/** The library is loaded only when something is saved, which most commands never do. */
const writeWhole = async (path: string, text: Text): Promise<void> => {
  const { default: writeFileAtomic } = await import('write-file-atomic');
  const pieces = typeof text === 'string' ? [text] : text;
  // It awaits what this returns before it moves the file to its place.
  const tmpfileCreated = (temporary: string): Promise<void> => appendPieces(temporary, pieces);
  await writeFileAtomic(path, '', { tmpfileCreated });
};

const appendPieces = async (path: string, pieces: Exclude<Text, string>): Promise<void> => {
  const file = await open(path, 'a');
  try {
    for await (const piece of pieces) await file.appendFile(piece);
  } finally {
    await file.close();
  }
};

const isOfSystem = (error: unknown): boolean => (error as NodeJS.ErrnoException).syscall !== undefined;

/** The name of a file that is being written, and a number. */
const TEMPORARY = /^(.+)\.\d+$/;

/** Removes what is left of files that were being written when their process was killed. `isOurs`: whether a file of this name is ours. */
export const removeTemporaries = async (directory: string, isOurs: (name: string) => boolean): Promise<void> => {
  for (const name of await readdir(directory).catch(() => [])) {
    const [, written] = TEMPORARY.exec(name) ?? [];
    if (written !== undefined && isOurs(written))
      await rm(join(directory, name), { force: true }).catch(() => undefined);
  }
};

/**
 * Throws `BadInput` for a link. A corpus or a run may come from elsewhere, and a link in it does not choose where results are written: its
 * directory is what the user named.
 */
export const refuseLink = async (path: string): Promise<void> => {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink() === true)
    throw new BadInput(path, 'this is a link, and results are not written through links; remove it');
};

const unwritable = (path: string, error: unknown, remedy: string): BadInput =>
  new BadInput(path, `cannot be written: ${whyFailed(error)}; free space or ${remedy}`);

const A_DIRECTORY = 'this is a directory; name a file in it';
const A_PIPE = 'this is a pipe or a device; name a file';

const whyUnreadable = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file; check the path';
  if (code === 'EISDIR') return A_DIRECTORY;
  if (code === 'ENOTDIR') return 'the path leads through a file; name a directory instead of that file';
  // A socket, or a pipe whose device is gone.
  if (code === 'ENXIO') return A_PIPE;
  if (code === 'EACCES') return 'the file may not be read; change its rights';
  return `${whyFailed(error)}; check the path`;
};

/** Every file of a corpus, by name, unreadable ones included. Throws `BadInput` if there is no directory. */
export const readCorpus = async (directory: string): Promise<readonly CorpusFile[]> => {
  const stored: CorpusFile[] = [];
  // One after the other: a process may not open thousands of files at once.
  for (const name of await listJson(directory)) stored.push(await readStored(join(directory, name)));
  return stored;
};

/** As `readCorpus`; a corpus that does not exist yet is empty. */
export const readCorpusIfThere = async (directory: string): Promise<readonly CorpusFile[]> =>
  existsSync(directory) ? readCorpus(directory) : [];

/** Throws `BadInput` for a file that could not be read. */
export const readableOf = (stored: CorpusFile): StoredFinding => {
  if (!isReadable(stored)) throw new BadInput('corpus', stored.problem);
  return stored;
};

const listJson = async (directory: string): Promise<readonly string[]> => {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such directory' : code === 'ENOTDIR' ? 'this is a file' : whyFailed(error);
    throw new BadInput(directory, `${why}; name a directory of counterexamples with --corpus`);
  }
};

/** Reads one file of a corpus. A problem with it is returned, not thrown. */
export const readStored = async (file: string): Promise<CorpusFile> => {
  try {
    const finding = parseCounterexample(await readTextFile(file), file);
    if (fileNameOf(finding) !== basename(file)) {
      throw new BadInput(file, `its content belongs in "${fileNameOf(finding)}"; undo the edit, or rename the file`);
    }
    return { ...finding, file };
  } catch (error) {
    if (error instanceof BadInput) return { file, problem: error.message };
    throw error;
  }
};

/**
 * Saves a finding under its name, whole or not at all, and returns the path. A second one of the same program replaces the first.
 */
export const saveFinding = async (directory: string, finding: Finding): Promise<string> => {
  const path = join(directory, fileNameOf(finding));
  await refuseLink(path);
  try {
    await makeDirectory(directory);
    await writeWhole(path, formatCounterexample(finding));
  } catch (error) {
    throw unwritable(path, error, 'name another --corpus');
  }
  return path;
};

/**
 * Makes a directory and its missing parents. Not `mkdir`'s own `recursive`, which on Node 20 hangs in a place such as /proc, where a
 * directory is missing and cannot be made.
 */
export const makeDirectory = async (directory: string): Promise<void> => {
  try {
    await mkdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const above = dirname(directory);
    if (code !== 'ENOENT' || above === directory) throw error;
    await makeDirectory(above);
    await mkdir(directory).catch(refuseUnlessThere);
  }
};

/** Another process may have made it in between. */
const refuseUnlessThere = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error;
};

/** What has one name and one shape is one bug: one signature of one subject against one reference, in programs that are alike. */
export const isSameBug = (one: Finding, other: Finding): boolean =>
  one.subject === other.subject &&
  one.reference === other.reference &&
  signatureOf(one.divergence) === signatureOf(other.divergence) &&
  areAlike(shapeOf(one.case.program), shapeOf(other.case.program));

/** All but the best finding of each bug, in the order given. */
export const redundant = <Given extends Finding>(findings: readonly Given[]): readonly Given[] => {
  const best = new Map<string, Given[]>();
  for (const finding of findings.toSorted((one, other) => compareWorth(one.case.program, other.case.program))) {
    const name = signatureOf(finding.divergence);
    const kept = best.get(name) ?? [];
    if (!kept.some((each) => isSameBug(each, finding))) best.set(name, [...kept, finding]);
  }
  const all = new Set([...best.values()].flat());
  return findings.filter((finding) => !all.has(finding));
};
