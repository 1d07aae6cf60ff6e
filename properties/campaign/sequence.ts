/**
 * A finding that does not show in a fresh process: does it show behind the programs that its own process had run before? Then the subject
 * remembers something, and the sequence of programs is made small.
 */

import type { Program } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';
import { signatureOf } from '../divergence.js';
import type { Finding } from '../finding.js';
import type { Case } from '../generators/index.js';
import { judgeOf } from '../judging.js';
import { shrink } from '../shrink/index.js';
import { programsOf } from './programs.js';
import type { ShrinkFindingOptions, ShrinkWatcher } from './shrink-finding.js';

/** Each try takes a process of its own and all programs before it. */
const MOST_TRIES = 300;

/** Whether the finding shows behind these programs. */
type Shows = (before: readonly Program[]) => Promise<boolean>;

/** The finding with the programs that must come before its own; undefined if it does not show behind its history either. */
export const findSequence = async (
  options: ShrinkFindingOptions,
  finding: Finding,
  { pause, interrupted, onProgress }: ShrinkWatcher,
): Promise<Finding | undefined> => {
  const { history = [], ...found } = finding;
  const signature = signatureOf(finding.divergence);
  const judging = judgeOf(options, finding.divergence);
  const judge = async (candidate: Case, before: readonly Program[]): Promise<Divergence | undefined> => {
    await pause();
    return await judging.judge(candidate, before);
  };
  const shows: Shows = async (before) => {
    if (interrupted()) return false;
    const divergence = await judge(finding.case, before);
    return divergence !== undefined && signatureOf(divergence) === signature;
  };
  try {
    const all = programsIn(history, options);
    if (all.length === 0 || !(await shows(all))) return undefined;
    const before = await smallest(await latest(all, shows), finding.case.program, shows);
    const mostTries = Math.min(options.mostTries, MOST_TRIES);
    const behind = (candidate: Case): Promise<Divergence | undefined> => judge(candidate, before);
    const small = await shrink({ value: finding.case }, signature, behind, { mostTries, interrupted, onProgress });
    if (small.kind === 'not-reproduced') return undefined;
    const shrunk = interrupted() ? 'partly' : 'wholly';
    return { ...found, before, case: small.case, divergence: small.divergence, shrunk };
  } finally {
    await judging.close();
  }
};

const programsIn = (history: readonly (number | Program)[], options: ShrinkFindingOptions): readonly Program[] => {
  const numbered = programsOf(options);
  return history.map((each) => (typeof each === 'number' ? numbered(each).value.program : each));
};

/** As few of the last programs as show it, to a power of two. */
const latest = async (all: readonly Program[], shows: Shows): Promise<readonly Program[]> => {
  for (let count = 1; count < all.length; count *= 2) if (await shows(all.slice(-count))) return all.slice(-count);
  return all;
};

const smallest = async (all: readonly Program[], { machine }: Program, shows: Shows): Promise<readonly Program[]> => {
  const trivial: Program = { machine, steps: [] };
  const none = all.map(() => trivial);
  return (await shows(none)) ? await fewest(none, shows) : await simpler(await fewer(all, shows), trivial, shows);
};

/** Of equal programs only the number counts: it is halved in between. */
const fewest = async (all: readonly Program[], shows: Shows): Promise<readonly Program[]> => {
  let [tooFew, enough] = [0, all.length];
  while (enough - tooFew > 1) {
    const between = Math.floor((tooFew + enough) / 2);
    if (await shows(all.slice(0, between))) enough = between;
    else tooFew = between;
  }
  return all.slice(0, enough);
};

/** Leaves out runs of programs, shorter and shorter ones, until each program is needed. */
const fewer = async (all: readonly Program[], shows: Shows): Promise<readonly Program[]> => {
  let kept = all;
  for (let size = Math.ceil(all.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length && kept.length > 1;) {
      const without = kept.toSpliced(from, size);
      if (without.length > 0 && (await shows(without))) kept = without;
      else from += size;
    }
  }
  return kept;
};

/** Replaces programs by one without steps; what is left of a program loses its steps in runs, shorter and shorter ones. */
const simpler = async (all: readonly Program[], trivial: Program, shows: Shows): Promise<readonly Program[]> => {
  let kept = all;
  for (let index = 0; index < all.length; index++) {
    const showsWith = async (program: Program): Promise<boolean> => await shows(kept.with(index, program));
    kept = kept.with(index, await shorter(kept[index], trivial, showsWith));
  }
  return kept;
};

const shorter = async (
  program: Program,
  trivial: Program,
  showsWith: (program: Program) => Promise<boolean>,
): Promise<Program> => {
  if (await showsWith(trivial)) return trivial;
  let kept = program;
  for (let size = Math.ceil(program.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.steps.length;) {
      const without = { machine: kept.machine, steps: kept.steps.toSpliced(from, size) };
      if (await showsWith(without)) kept = without;
      else from += size;
    }
  }
  return kept;
};
