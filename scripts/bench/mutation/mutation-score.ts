/** Mutants by name, the list of those that may survive, and the score. */

import { parseAst } from 'rolldown/parseAst';
import { z } from 'zod';

/** A mutant without line numbers, so that it stays the same when code around it moves. */
const mutant = z.strictObject({
  file: z.string(),
  /** The class member or the declaration that encloses it: `Stack.reset`, `lowestBit`. */
  place: z.string(),
  /** The kind of mutation, in Stryker's words. */
  mutator: z.string(),
  /** The text before and after, with single spaces. */
  original: z.string(),
  replacement: z.string(),
});

export type Mutant = z.infer<typeof mutant>;

export interface JudgedMutant extends Mutant {
  readonly line: number;
  readonly survived: boolean;
}

/**
 * Why a mutant survives. `equivalent`: no program could show it. `guard`: it weakens what notices a bug of our own code, which a sound
 * machine never has. `missed`: some program would show it, but none of the judge's does; these count against the score.
 */
const WHY = ['equivalent', 'guard', 'missed'] as const;

/** In the project's directory. */
export const SURVIVORS = 'scripts/bench/mutation/survivors.json';

export const survivors = z.array(
  z.strictObject({ why: z.enum(WHY), reason: z.string().min(1), mutants: z.array(mutant).min(1) }),
);

export type Survivors = z.infer<typeof survivors>;

/** The part of Stryker's JSON report that is used here; lines and columns count from 1. */
export interface StrykerReport {
  readonly files: Readonly<Record<string, StrykerFile>>;
}

interface StrykerFile {
  readonly source: string;
  readonly mutants: readonly {
    readonly mutatorName: string;
    readonly replacement: string;
    readonly status: string;
    readonly location: { readonly start: Position; readonly end: Position };
  }[];
}

interface Position {
  readonly line: number;
  readonly column: number;
}

export const mutantsOf = ({ files }: StrykerReport): readonly JudgedMutant[] =>
  Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lineStarts = [0, ...[...source.matchAll(/\n/g)].map(({ index }) => index + 1)];
    const offsetOf = ({ line, column }: Position): number => lineStarts[line - 1] + column - 1;
    const placeOf = placesIn(source);
    return mutants.map(({ mutatorName, replacement, status, location: { start, end } }): JudgedMutant => {
      const original = source.slice(offsetOf(start), offsetOf(end));
      return {
        file,
        place: placeOf(offsetOf(start)),
        mutator: mutatorName,
        original: onOneLine(original),
        replacement: onOneLine(replacement),
        line: start.line,
        survived: survivedBy(status),
      };
    });
  });

/** Throws for a mutant that was not judged. */
const survivedBy = (status: string): boolean => {
  if (status === 'Survived') return true;
  if (status === 'Killed' || status === 'Timeout') return false;
  throw new Error(`a mutant ended as ${status}, so it was not judged`);
};

const onOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** The nodes of the syntax tree that are used here. */
interface Named {
  readonly start: number;
  readonly end: number;
  readonly id?: { readonly name: string } | null;
  readonly key?: { readonly name: string };
  readonly declaration?: Named | null;
  readonly declarations?: readonly Named[];
  readonly body?: { readonly body: readonly Named[] };
  readonly type: string;
}

/** By offset in a source, the class member or the top-level declaration there; the empty string where there is none. */
const placesIn = (source: string): ((offset: number) => string) => {
  const statements = parseAst(source, { lang: 'ts' }).body as unknown as readonly Named[];
  return (offset) => {
    const at = (nodes: readonly Named[] = []): Named | undefined =>
      nodes.find(({ start, end }) => start <= offset && offset < end);
    const statement = at(statements);
    const declared = statement?.declaration ?? statement;
    const named = at(declared?.declarations) ?? declared;
    const member = declared?.type === 'ClassDeclaration' ? at(declared.body?.body) : undefined;
    return [named?.id?.name, member?.key?.name].filter((name) => name !== undefined).join('.');
  };
};

export interface Score {
  readonly mutations: number;
  readonly found: number;
  readonly equivalent: number;
  readonly guards: number;
  readonly missed: number;
}

/** What is found, in percent of what could be: equivalent mutants and guards do not count. */
export const percentOf = ({ mutations, found, equivalent, guards }: Score): number =>
  (found / (mutations - equivalent - guards)) * 100;

/**
 * Compares what survived with the list, as far as it is about the files that were mutated. `problems`: survivors that are not listed,
 * listed mutants that were killed, and entries of which there is no mutant, a line each. Mutants that share all of their names count
 * together.
 */
export const scoreOf = (
  judged: readonly JudgedMutant[],
  list: Survivors,
): { readonly score: Score; readonly problems: readonly string[] } => {
  const survived = judged.filter((mutant) => mutant.survived);
  const unlisted = [...survived];
  const names = new Set(judged.map(nameOf));
  const files = new Set(judged.map(({ file }) => file));
  const counts = { equivalent: 0, guard: 0, missed: 0 };
  const problems: string[] = [];
  for (const { why, mutants } of list) {
    for (const listed of mutants.filter(({ file }) => files.has(file))) {
      const place = unlisted.findIndex((mutant) => nameOf(mutant) === nameOf(listed));
      if (place < 0)
        problems.push(`listed, but ${names.has(nameOf(listed)) ? 'killed' : 'no mutant'}: ${described(listed)}`);
      else {
        unlisted.splice(place, 1);
        counts[why]++;
      }
    }
  }
  problems.push(...unlisted.map((mutant) => `survived, and not listed: ${described(mutant)} (line ${mutant.line})`));
  const { equivalent, guard: guards } = counts;
  const missed = counts.missed + unlisted.length;
  const mutations = judged.length;
  return { score: { mutations, found: mutations - survived.length, equivalent, guards, missed }, problems };
};

const nameOf = ({ file, place, mutator, original, replacement }: Mutant): string =>
  JSON.stringify([file, place, mutator, original, replacement]);

const described = ({ file, place, original, replacement }: Mutant): string =>
  `${file}, ${place}: ${original} → ${replacement}`;
