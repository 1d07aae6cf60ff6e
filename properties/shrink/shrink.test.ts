import { beforeAll, describe, expect, test } from 'vitest';
import { vaddr } from '../../model/vocabulary/index.js';
import { access, init, store } from '../../test-support/steps.js';
import { programArbitrary } from '../generators/index.js';
import { divergenceAt, programOf, searchFor } from '../../test-support/smallest-after.js';
import { signatureOf } from '../divergence.js';
import { programSeed, randomFor } from '../seeds.js';
import { Search } from './search.js';
import { shrink, shrinkMacros, shrinkSteps } from './shrink.js';
import type { ProgramOptions } from '../generators/index.js';
import { isProgram } from '../generators/valid-program.js';
import { keepsContract } from '../contract.js';
import type { FoundBug } from '../../test-support/found-bugs.js';
import { findBug, judgeWith } from '../../test-support/found-bugs.js';
import type { Shrunk } from './shrink.js';
import type { PlantedBug } from '../../test-support/planted-bugs.js';
import { PLANTED_BUGS } from '../../test-support/planted-bugs.js';

/** Every bug is hunted with two of the four kinds of programs. */
const KINDS: readonly (readonly Partial<ProgramOptions>[])[] = [
  [
    { traffic: 'hostile', paging: '2-level' },
    { traffic: 'coherent', paging: 'pae' },
  ],
  [
    { traffic: 'hostile', paging: 'pae' },
    { traffic: 'coherent', paging: '2-level' },
  ],
];

interface Outcome {
  readonly bug: PlantedBug;
  readonly before: FoundBug;
  readonly after: Shrunk;
}

/** As `shrink`, of a case that shows its finding. */
const shrunk = async (...words: Parameters<typeof shrink>): Promise<Shrunk> => {
  const outcome = await shrink(...words);
  if (outcome.kind === 'not-reproduced') throw new Error('not reproduced');
  return outcome;
};

const stepsOf = ({ after }: Outcome): number => after.case.program.steps.length;

const namesOf = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ bug }) => bug.name);

const medianOf = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1];

describe('findings of planted bugs become small', () => {
  const outcomes: Outcome[] = [];

  beforeAll(async () => {
    for (const [index, bug] of PLANTED_BUGS.entries()) {
      for (const kind of KINDS[index % KINDS.length]) {
        // Coherent guests do not meet every bug.
        const before = await findBug(bug, 'shrink', kind, kind.traffic === 'hostile' ? 200 : 15);
        if (before === undefined) continue;
        outcomes.push({ bug, before, after: await shrunk(before.found, before.signature, before.judge) });
      }
    }
  }, 60_000);

  test('every bug was found', () => {
    expect(new Set(namesOf(outcomes)).size).toBe(PLANTED_BUGS.length);
    expect(outcomes.some(({ after }) => after.case.traffic === 'coherent')).toBe(true);
  });

  test('half of them in six steps, all of them in fourteen', () => {
    expect(medianOf(outcomes.map(stepsOf))).toBeLessThanOrEqual(6);
    expect(namesOf(outcomes.filter((outcome) => stepsOf(outcome) > 14))).toEqual([]);
  });

  test('within a few thousand tries', () => {
    expect(namesOf(outcomes.filter(({ after }) => after.tried >= 4000))).toEqual([]);
  });

  test('they still show the same finding on a fresh machine', async () => {
    for (const { bug, before, after } of outcomes) {
      const again = await judgeWith(bug)(after.case);
      expect(again).toEqual(after.divergence);
      expect(signatureOf(after.divergence)).toBe(before.signature);
    }
  });

  test('they are valid, and keep the contract if they did before', () => {
    for (const { before, after } of outcomes) {
      expect(after.case.traffic).toBe(before.found.value.traffic);
      expect(isProgram(after.case.program)).toBe(true);
      if (after.case.traffic === 'coherent') expect(keepsContract(after.case.program)).toBe(true);
    }
  });

  test('their pages are low and their addresses begin a half', () => {
    const isLow = ({ after }: Outcome): boolean => {
      const { machine, steps } = after.case.program;
      const low = (address: number): boolean => (address % 0x40000000) / 4096 < 4;
      return machine.guestPages <= 8 && steps.every((step) => step.op !== 'access' || low(step.vaddr));
    };
    expect(namesOf(outcomes.filter((outcome) => !isLow(outcome)))).toEqual([]);
  });

  test('what is small stays as it is', async () => {
    for (const { before, after } of outcomes.slice(0, 3)) {
      const again = await shrunk({ value: after.case }, before.signature, before.judge);
      expect(again.case).toEqual(after.case);
    }
  });
});

describe('a search', () => {
  let before: FoundBug;

  beforeAll(async () => {
    const found = await findBug(PLANTED_BUGS[1], 'search', { traffic: 'coherent', paging: '2-level' });
    if (found === undefined) throw new Error('the bug was not found');
    before = found;
  });

  test('does the same twice', async () => {
    const [one, other] = [
      await shrunk(before.found, before.signature, before.judge),
      await shrunk(before.found, before.signature, before.judge),
    ];
    expect(other).toEqual(one);
  });

  test('does without what the generator remembers', async () => {
    const small = await shrunk({ value: before.found.value }, before.signature, before.judge);
    expect(small.case.program.steps.length).toBeLessThanOrEqual(14);
    expect(small.case.traffic).toBe('coherent');
  });

  test('stops at once when interrupted, and keeps the smallest so far', async () => {
    let asked = 0;
    const interrupted = (): boolean => ++asked > 40;
    const small = await shrunk(before.found, before.signature, before.judge, { interrupted });
    expect(small.interrupted).toBe(true);
    expect(small.tried).toBe(41);
    expect(small.case.program.steps.length).toBeLessThan(before.found.value.program.steps.length);
    expect(signatureOf(small.divergence)).toBe(before.signature);
  });

  test('hears an interruption that comes from outside while it runs', async () => {
    let stop = false;
    setImmediate(() => (stop = true));
    const small = await shrunk(before.found, before.signature, before.judge, { interrupted: () => stop });
    expect(small.interrupted).toBe(true);
    expect(small.tried).toBeLessThan(100);
  });

  test('judges no more than it may', async () => {
    let judged = 0;
    const small = await shrunk(
      before.found,
      before.signature,
      (candidate) => {
        judged++;
        return before.judge(candidate);
      },
      { mostTries: 25 },
    );
    expect(judged).toBe(25);
    expect(small).toMatchObject({ tried: 25, interrupted: false });
  });

  test('tells how far it is', async () => {
    const lengths: number[] = [];
    await shrunk(before.found, before.signature, before.judge, { onProgress: ({ steps }) => lengths.push(steps) });
    expect(lengths.length).toBeGreaterThan(3);
    expect(lengths).toEqual(lengths.toSorted((one, other) => other - one));
  });

  test('does not begin with a case that does not show the finding', async () => {
    expect(await shrink(before.found, 'another | access | finding', before.judge)).toEqual({ kind: 'not-reproduced' });
  });
});

describe("fast-check's shrinker", () => {
  test('finds borders that no other pass proposes', async () => {
    const search = searchFor(programOf([init(), access(0x76543)]), ({ steps }) => {
      const last = steps.at(-1);
      return last?.op === 'access' && last.vaddr >= 0x12345;
    });
    expect(await shrinkSteps(search)).toBe(true);
    expect(search.smallest.program.steps.at(-1)).toEqual({ ...access(0), vaddr: vaddr(0x13000 - 0xcbb) });
    expect(await shrinkSteps(search)).toBe(false);
  });

  test('takes macros from a coherent case, which stays coherent', async () => {
    const arbitrary = programArbitrary({ traffic: 'coherent', paging: '2-level' });
    const found = arbitrary.generate(randomFor(programSeed('macros', 1)), undefined);
    const divergence = divergenceAt({ kind: 'end' });
    const touches = (steps: readonly { readonly op: string }[]): number =>
      steps.filter(({ op }) => op === 'access').length;
    const search = new Search(found.value, divergence, {
      signature: signatureOf(divergence),
      judge: ({ program }) => Promise.resolve(touches(program.steps) >= 3 ? divergence : undefined),
      mostTries: 3000,
    });
    await shrinkMacros(search, found);
    expect(search.smallest.program.steps.length).toBeLessThan(found.value.program.steps.length);
    expect(touches(search.smallest.program.steps)).toBeLessThan(touches(found.value.program.steps));
  });

  test('has no macros to take from a case that comes from a file', async () => {
    const search = searchFor(programOf([store(0, 1), access(0)]), () => true);
    await shrinkMacros(search, { value: search.smallest });
    expect(search.tried).toBe(1);
  });
});
