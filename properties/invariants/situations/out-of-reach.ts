/** Which situations the programs of a run cannot reach, or the harness cannot see, because of its two sides. */

import type { OutcomeKind } from '../../../model/vocabulary/index.js';
import { OUTCOME_KINDS } from '../../../model/vocabulary/index.js';
import { PROFILE_LIMITS } from '../../profile.js';
import type { Scope } from '../../subjects/scope.js';
import type { Asking } from '../asking.js';
import { isMissing, whyUnseen } from '../asking.js';
import type { Sight } from '../invariant.js';
import type { Stage } from '../moment.js';
import { ANSWER, SHADOW, TABLES } from './dimensions.js';
import type { Cell, Grid } from './grid.js';
import { cellAt } from './grid.js';

/** Why no run of these sides can reach a cell; undefined if one may. `asking`: of the grid's invariant. */
export const whyOutOfReach = (grid: Grid, index: number, asking: Asking, scope: Scope): string | undefined => {
  if (asking.asked === 'not') return asking.because.join('; ');
  const cell = cellAt(grid, index);
  return whyNotSeen(grid, cell, scope) ?? whyNotRun(grid, cell, scope) ?? whyNotAnswered(cell, scope);
};

/** By dimension, values that are derived from what a side shows: any one of these is enough. */
const SEEN_BY: Readonly<Record<string, Readonly<Record<string, readonly Sight[]>>>> = {
  [ANSWER.name]: { filled: ['shadow', 'references', 'tables'] },
  [SHADOW.name]: { changed: ['shadow', 'references', 'tables'] },
  [TABLES.name]: { fewer: ['tables'], more: ['tables'] },
};

const whyNotSeen = ({ looksAt }: Grid, cell: Cell, scope: Scope): string | undefined => {
  const { subjectShows, referenceShows } = scope;
  if (looksAt === 'shadow' && !subjectShows.includes('shadow')) return whyUnseen('shadow', scope);
  if (looksAt === 'ram' && !subjectShows.includes('ram')) return 'the guest’s RAM is not seen';
  const shown = new Set([...subjectShows, ...referenceShows]);
  const isSeen = Object.entries(cell).every(
    ([dimension, value]) => SEEN_BY[dimension]?.[value]?.some((sight) => shown.has(sight)) ?? true,
  );
  return isSeen ? undefined : 'neither side shows what changes inside';
};

const whyNotRun = (
  { stages, needs }: Grid,
  { step = stages[0], paging, guest, answer }: Cell,
  scope: Scope,
): string | undefined => {
  const missing = [step as Stage, needs].find((each) => each !== undefined && isMissing(each, scope));
  if (missing !== undefined) return `no program has ${missing}`;
  if (paging !== undefined && !scope.paging.some((each) => each === paging.toLowerCase()))
    return `no program has ${paging} paging`;
  if (scope.profile === 'lguest') return undefined;
  if (guest === 'hostile') return `the profile ${scope.profile} has no hostile guests`;
  return answer === 'Switcher’s address' ? `in the profile ${scope.profile} addresses lie below it` : undefined;
};

/** Values of cells that only a step with this outcome reaches. */
const ENDS: ReadonlyMap<string, OutcomeKind> = new Map<string, OutcomeKind>([
  ...OUTCOME_KINDS.map((kind) => [kind, kind] as const),
  ['device', 'mmio'],
  ['over', 'killed'],
]);

/** A second `init` kills, and so does `set-pmd` in 2-level paging. */
const alwaysKills = ({ step, paging, life }: Cell): boolean =>
  (step === 'init' && life === 'tables') || (step === 'set-pmd' && paging === '2-level');

const whyNotAnswered = (cell: Cell, { profile }: Scope): string | undefined => {
  const { outcomes } = PROFILE_LIMITS[profile];
  const ends = Object.values(cell).flatMap((value) => ENDS.get(value) ?? []);
  if (alwaysKills(cell)) ends.push('killed');
  const missing = ends.find((kind) => !outcomes.includes(kind));
  return missing === undefined ? undefined : `in the profile ${profile} no step ends ${missing}`;
};
