import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Mutant, StrykerReport, Survivors } from './mutation-score.js';
import { SURVIVORS, mutantsOf, percentOf, scoreOf, survivors } from './mutation-score.js';

const SOURCE = `const FIRST = 1 + 2;

export class Stack {
  private top = 3 + 4;

  push(
    value: number,
  ): number {
    return this.top +
      value;
  }
}

export const twice = (value: number): number => value + value;
`;

const at = (line: number, from: number, to: number, endLine = line): { start: Place; end: Place } => ({
  start: { line, column: from },
  end: { line: endLine, column: to },
});
type Place = { line: number; column: number };

const reportOf = (...mutants: readonly [location: ReturnType<typeof at>, status: string][]): StrykerReport => ({
  files: {
    'impl/stack.ts': {
      source: SOURCE,
      mutants: mutants.map(([location, status]) => ({
        mutatorName: 'ArithmeticOperator',
        replacement: 'this.top -\n      value',
        status,
        location,
      })),
    },
  },
});

const PUSH = at(9, 12, 12, 10);
const JUDGED = mutantsOf(reportOf([PUSH, 'Survived'], [at(1, 15, 20), 'Killed'], [at(14, 49, 62), 'Timeout']));
const named = ({ file, place, mutator, original, replacement }: Mutant): Mutant => {
  return { file, place, mutator, original, replacement };
};
const [SURVIVOR, KILLED] = JUDGED.map(named);
const listing = (...mutants: Survivors[number]['mutants']): Survivors => [
  { why: 'equivalent', reason: 'a reason', mutants },
];

describe('mutantsOf', () => {
  it('names a mutant by what encloses it and by its text on one line', () => {
    expect(SURVIVOR).toEqual({
      file: 'impl/stack.ts',
      place: 'Stack.push',
      mutator: 'ArithmeticOperator',
      original: 'this.top + value',
      replacement: 'this.top - value',
    });
    const [field] = mutantsOf(reportOf([at(4, 17, 22), 'Killed']));
    expect(field).toMatchObject({ place: 'Stack.top', original: '3 + 4' });
    expect(JUDGED.map(({ place }) => place)).toEqual(['Stack.push', 'FIRST', 'twice']);
  });

  it('counts a mutant that never ends as killed', () => {
    expect(JUDGED.map(({ survived }) => survived)).toEqual([true, false, false]);
  });
});

it.each(['RuntimeError', 'CompileError', 'Ignored', 'NoCoverage'])(
  'a mutant that ended as %s has no score',
  (status) => {
    expect(() => mutantsOf(reportOf([PUSH, status]))).toThrow(status);
  },
);

describe('scoreOf', () => {
  it('has no problem with a survivor that is listed', () => {
    const { score, problems } = scoreOf(JUDGED, listing(SURVIVOR));
    expect(problems).toEqual([]);
    expect(score).toEqual({ mutations: 3, found: 2, equivalent: 1, guards: 0, missed: 0 });
    expect(percentOf(score)).toBe(100);
  });

  it('names a survivor that is not listed, and counts it as missed', () => {
    const { score, problems } = scoreOf(JUDGED, []);
    expect(problems).toEqual([
      'survived, and not listed: impl/stack.ts, Stack.push: this.top + value → this.top - value (line 9)',
    ]);
    expect(score.missed).toBe(1);
    expect(percentOf(score)).toBeCloseTo(66.67);
  });

  it('names a listed mutant that was killed', () => {
    expect(scoreOf(JUDGED, listing(SURVIVOR, KILLED)).problems).toEqual([
      'listed, but killed: impl/stack.ts, FIRST: 1 + 2 → this.top - value',
    ]);
  });

  it('names an entry of which there is no mutant', () => {
    expect(scoreOf(JUDGED, listing(SURVIVOR, { ...SURVIVOR, place: 'Stack.pop' })).problems).toEqual([
      'listed, but no mutant: impl/stack.ts, Stack.pop: this.top + value → this.top - value',
    ]);
  });

  it('counts mutants that share all of their names together', () => {
    const twins = mutantsOf(reportOf([PUSH, 'Survived'], [PUSH, 'Survived'], [PUSH, 'Killed']));
    expect(scoreOf(twins, listing(SURVIVOR, SURVIVOR)).problems).toEqual([]);
    expect(scoreOf(twins, listing(SURVIVOR)).problems).toHaveLength(1);
    expect(scoreOf(twins, listing(SURVIVOR, SURVIVOR, SURVIVOR)).problems).toEqual([
      expect.stringContaining('listed, but killed'),
    ]);
  });

  it('leaves out entries about files that were not mutated', () => {
    expect(scoreOf(JUDGED, listing(SURVIVOR, { ...SURVIVOR, file: 'impl/other.ts' })).problems).toEqual([]);
  });

  it('counts what is missed against the score, and equivalent mutants and guards not', () => {
    const score = { mutations: 100, found: 60, equivalent: 10, guards: 10, missed: 20 };
    expect(percentOf(score)).toBe(75);
  });
});

describe('survivors.json', () => {
  it('names only text that is in the sources', () => {
    const list = survivors.parse(JSON.parse(readFileSync(SURVIVORS, 'utf8')));
    const stale = list
      .flatMap(({ mutants }) => mutants)
      .filter(({ file, original }) => !readFileSync(file, 'utf8').replaceAll(/\s+/g, ' ').includes(original));
    expect(stale).toEqual([]);
  });
});
