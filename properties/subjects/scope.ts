/** What two sides have in common: which programs both can run, and what of their runs is compared. */

import type { Observable, Op, Paging, Program } from '../../model/vocabulary/index.js';
import { OBSERVABLES, OPS, PAGINGS } from '../../model/vocabulary/index.js';
import type { Sight } from '../invariants/invariant.js';
import type { Capabilities } from './capabilities.js';
import type { Subject } from './subject.js';
import { capabilitiesOf } from './subject.js';

/** Plain data: a campaign records it, because its programs depend on it. */
export interface Scope {
  readonly paging: readonly Paging[];
  readonly steps: readonly Op[];
  readonly subjectShows: readonly Observable[];
  readonly referenceShows: readonly Sight[];
  /** How many edges of its own code the subject counts. */
  readonly edges: number;
}

export const SIGHTS: readonly Sight[] = [...OBSERVABLES, 'fresh'];

/** Starts both sides. Throws `BadInput` if that fails. */
export const scopeOf = async (subject: Subject, reference: Subject): Promise<Scope> => {
  const one = await capabilitiesOf(subject);
  const other = await capabilitiesOf(reference);
  const walksAlways = reference.kind === 'in-process' && reference.create().walksAlways === true;
  return {
    paging: PAGINGS.filter((each) => one.paging.includes(each) && other.paging.includes(each)),
    steps: OPS.filter((each) => one.steps.includes(each) && other.steps.includes(each)),
    subjectShows: one.observes,
    referenceShows: walksAlways ? [...other.observes, 'fresh'] : other.observes,
    edges: one.edges,
  };
};

/** The step kinds that one of the sides lacks. */
export const unsupportedSteps = ({ steps }: Pick<Scope, 'steps'>): readonly Op[] =>
  OPS.filter((op) => !steps.includes(op));

/** What a program needs that is missing, such as `pae paging` or `set-pmd`; undefined if it can be run. */
export const missingFor = ({ machine, steps }: Program, able: Pick<Scope, 'paging' | 'steps'>): string | undefined => {
  if (!able.paging.includes(machine.paging)) return `${machine.paging} paging`;
  return able.steps.length === OPS.length ? undefined : steps.find(({ op }) => !able.steps.includes(op))?.op;
};

/** Why one of the sides cannot run all programs, as a sentence without a full stop; undefined if both can. Starts them. */
export const whyNotRun = async (
  programs: readonly Program[],
  sides: readonly Subject[],
): Promise<string | undefined> => {
  for (const side of sides) {
    const limits = await limitsOf(side);
    for (const program of programs) {
      const missing = missingFor(program, limits);
      if (missing !== undefined) return `${side.name} does not support ${missing}`;
    }
  }
  return undefined;
};

/** Asking a machine of this process for what it shows would make one, and it takes every program. */
const limitsOf = async (side: Subject): Promise<Pick<Capabilities, 'paging' | 'steps'>> =>
  (await side.start?.()) ?? { paging: PAGINGS, steps: OPS };
