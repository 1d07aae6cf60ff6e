/** Reads the results that fuzz, nightly, coverage and defects matrix left in a directory. Any file may be missing; none may be malformed. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCounterexample } from '../../../properties/corpus/counterexample.js';
import { readTextFile } from '../../../properties/corpus/store.js';
import type { Finding } from '../../../properties/finding.js';
import { BadInput } from '../../../properties/formats/index.js';
import type { CoverageDocument } from '../../coverage/coverage-document.js';
import { COVERAGE_FILE, INVARIANTS_FILE, coverageDocument } from '../../coverage/coverage-document.js';
import type { MatrixDocument } from '../../coverage/matrix-document.js';
import { MATRIX_FILE, matrixDocument } from '../../coverage/matrix-document.js';
import { pathKind, readDocument } from '../../coverage/read-document.js';
import type { Summary } from './summary-document.js';
import { FINDINGS_DIRECTORY, SUMMARY_FILE, summarySchema } from './summary-document.js';

/** A stored counterexample. */
export interface FindingFile {
  readonly path: string;
  readonly finding: Finding;
}

/** The results of one run. */
export interface Results {
  /** Where they are; empty for a run that writes no files. */
  readonly directory: string;
  readonly summary: Summary | undefined;
  readonly coverage: CoverageDocument | undefined;
  readonly matrix: MatrixDocument | undefined;
  /** Sorted by file name. */
  readonly findings: readonly FindingFile[];
}

/** Whether summary and coverage describe the same run, whose programs must not be counted twice. */
export const isSameRun = ({ summary, coverage }: Pick<Results, 'summary' | 'coverage'>): boolean =>
  summary !== undefined && summary.seed === coverage?.seed && summary.programs === coverage.programs;

/** The path of each part. */
export const pathsOf = ({ directory }: Pick<Results, 'directory'>) => ({
  summary: join(directory, SUMMARY_FILE),
  coverage: join(directory, COVERAGE_FILE),
  matrix: join(directory, MATRIX_FILE),
  findings: join(directory, FINDINGS_DIRECTORY),
});

/** Throws `BadInput` for a path that is no directory or holds no results, and for a malformed file. */
export const readResults = async (directory: string): Promise<Results> => {
  await refuseNoDirectory(directory);
  const paths = pathsOf({ directory });
  const results = {
    directory,
    summary: await readDocument(paths.summary, summarySchema),
    coverage:
      (await readDocument(paths.coverage, coverageDocument)) ??
      (await readDocument(join(directory, INVARIANTS_FILE), coverageDocument)),
    matrix: await readDocument(paths.matrix, matrixDocument),
    findings: await readFindings(paths.findings),
  };
  const { summary, coverage, matrix, findings } = results;
  if (summary === undefined && coverage === undefined && matrix === undefined && findings.length === 0) {
    const files = [SUMMARY_FILE, COVERAGE_FILE, MATRIX_FILE, `${FINDINGS_DIRECTORY}/*.json`].join(', ');
    throw new BadInput(directory, `none of ${files} is here; name the --out of a run`);
  }
  return results;
};

const refuseNoDirectory = async (directory: string): Promise<void> => {
  if ((await pathKind(directory)) === 'directory') return;
  const what = (await pathKind(directory)) === 'absent' ? 'there is no such directory' : 'this is a file';
  throw new BadInput(directory, `${what}; name the --out of a run`);
};

const readFindings = async (directory: string): Promise<readonly FindingFile[]> => {
  if ((await pathKind(directory)) !== 'directory') return [];
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).toSorted();
  const findings: FindingFile[] = [];
  for (const name of names) {
    const path = join(directory, name);
    findings.push({ path, finding: parseCounterexample(await readTextFile(path), path) });
  }
  return findings;
};
