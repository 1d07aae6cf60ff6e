import { describe, expect, test } from 'vitest';
import type { Paging, Program, Step } from '../../model/vocabulary/index.js';
import { pagingSizes } from '../../model/vocabulary/index.js';
import { access, init, newPgtable, store } from '../../test-support/steps.js';
import { judgeWith } from '../../test-support/found-bugs.js';
import type { PlantedBug } from '../../test-support/planted-bugs.js';
import { programOf } from '../../test-support/smallest-after.js';
import { breachOf } from '../contract.js';
import { signatureOf } from '../divergence.js';
import { shrink } from './shrink.js';

/** References on a page, at most; the bug shows with the next one. */
const MOST = 7;

const COUNTS_TO_SEVEN: PlantedBug = {
  name: 'a counter of three bits stops',
  plant: (machine) => {
    const { references } = machine;
    const counts = new Map<number, number>();
    const take = references.take.bind(references);
    const drop = references.drop.bind(references);
    const reset = references.reset.bind(references);
    const change = (frame: number, by: number): number => {
      counts.set(frame, (counts.get(frame) ?? 0) + by);
      return counts.get(frame)!;
    };
    references.take = (frame) => void (change(frame, 1) <= MOST && take(frame));
    references.drop = (frame) => void (change(frame, -1) < MOST && drop(frame));
    references.reset = (hostCpus) => {
      counts.clear();
      reset(hostCpus);
    };
  },
};

const PRESENT = 1;
const PAGE = 0x1000;
/** Pages: roots from 0, tables of the last level from 3, the one between them (PAE) at 8, and the data. */
const [TABLES, MIDDLE, DATA] = [3, 8, 9];

/** A kernel half that three roots share, with three tables of three leaves, all of them of one page; eight of these are accessed. */
const spread = (paging: Paging): Program => {
  const { entryBytes, leafTableReach } = pagingSizes(paging);
  const three = [0, 1, 2];
  const links = (page: number): Step[] =>
    three.map((index) => store(page * PAGE + index * entryBytes, (TABLES + index) * PAGE + PRESENT));
  const upper =
    paging === 'pae'
      ? [...links(MIDDLE), ...three.map((root) => store(root * PAGE, MIDDLE * PAGE + PRESENT))]
      : three.flatMap(links);
  const leaves = three.flatMap((table) =>
    three.map((index) => store((TABLES + table) * PAGE + index * entryBytes, DATA * PAGE + PRESENT)),
  );
  const accesses = (root: number, count: number): Step[] => [
    newPgtable(root * PAGE, root),
    ...[...Array(count).keys()].map((index) => access(Math.floor(index / 3) * leafTableReach + (index % 3) * PAGE)),
  ];
  return programOf([init(0), ...upper, ...leaves, ...accesses(0, 4), ...accesses(1, 2), ...accesses(2, 2)], { paging });
};

const shrunk = async (paging: Paging, traffic: 'hostile' | 'coherent'): Promise<Program> => {
  const judge = judgeWith(COUNTS_TO_SEVEN);
  const value = { traffic, program: spread(paging) };
  const divergence = (await judge(value))!;
  const small = await shrink({ value }, signatureOf(divergence), judge);
  if (small.kind === 'not-reproduced') throw new Error('not reproduced');
  return small.case.program;
};

describe('a bug that counts to eight', () => {
  /**
   * By hand: `init`, one switch and eight steps that map the page, of which all but the first and the last may be announcements; a table that
   * maps itself through two entries; in PAE one more for the root.
   */
  test.each([
    ['2-level', 12],
    ['pae', 13],
  ] as const)('hostile, %s: the shortest program, of %d steps', async (paging, shortest) => {
    const { steps } = await shrunk(paging, 'hostile');
    expect(steps.length).toBe(shortest);
  });

  /** A coherent guest links a kernel table once in each root: two roots of four leaves are the fewest steps, 17. */
  test('coherent: within a tenth of the shortest program', async () => {
    const small = await shrunk('2-level', 'coherent');
    expect(breachOf(small)).toBeUndefined();
    expect(small.steps.length).toBeLessThanOrEqual(17 * 1.1);
  });
});
