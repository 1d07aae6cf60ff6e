/**
 * Two bugs under one name. A signature names what differs, not why, so two bugs may have the same. What sets them apart is the shape of
 * their smallest programs. Another shape proves no other bug, because one bug may show in several ways: so few are reported, and they are
 * called namesakes.
 */

import type { GuestEntry, Op, Program, Step } from '../model/vocabulary/index.js';
import { OPS } from '../model/vocabulary/index.js';
import { AVL, G, PCD, PSE, PWT, isPresent } from './entry-bits.js';
import type { Finding } from './finding.js';
import { isSteady } from './finding.js';

/** What a smallest program cannot do without. */
export interface Shape {
  /** It switches from one root to another. */
  readonly switches: boolean;
  /** Kinds of steps, and of bits in the guest's entries, but for those that nearly every program has. */
  readonly needs: readonly string[];
}

const EVERYWHERE: ReadonlySet<Op> = new Set<Op>(['init', 'store', 'new-pgtable']);

/** Bits that a present entry seldom needs, by name. */
const SELDOM: readonly (readonly [name: string, isSet: (entry: GuestEntry) => boolean])[] = [
  ['cache bits', ({ low }) => (low & (PWT | PCD)) !== 0],
  ['the size bit', ({ low }) => (low & PSE) !== 0],
  ['the global bit', ({ low }) => (low & G) !== 0],
  ['software bits', ({ low }) => (low & AVL) !== 0],
  ['high bits', ({ high }) => high !== 0],
];

export const shapeOf = ({ steps }: Program): Shape => {
  const entries = steps.flatMap(entryIn).filter(isPresent);
  return {
    switches: steps.filter(({ op }) => op === 'new-pgtable').length > 1,
    needs: [
      ...OPS.filter((op) => !EVERYWHERE.has(op) && steps.some((step) => step.op === op)),
      ...SELDOM.filter(([, isSet]) => entries.some(isSet)).map(([name]) => name),
    ],
  };
};

const entryIn = (step: Step): readonly GuestEntry[] =>
  step.op === 'store' ? [step.value] : step.op === 'set-pte' ? [step.pte] : [];

/** Searches that end a little early may leave this many needs too many. */
const SLACK = 1;

/** Whether two programs pass for the same way to a bug. */
export const areAlike = (one: Shape, other: Shape): boolean =>
  one.switches === other.switches && missingIn(one, other) + missingIn(other, one) <= SLACK;

const missingIn = (one: Shape, { needs }: Shape): number => needs.filter((need) => !one.needs.includes(need)).length;

/** `access, set-pte, a switch of roots`. */
export const describeShape = ({ switches, needs }: Shape): string =>
  [...needs, ...(switches ? ['a switch of roots'] : [])].join(', ') || 'no calls';

/** Shapes that one signature may have; what else turns up is counted with the first. */
export const MOST_SHAPES = 3;

/** The shape of a finding; undefined while its program may not be the smallest, or if it needs programs before it. */
export const settledShape = (finding: Finding): Shape | undefined =>
  finding.shrunk === 'wholly' && isSteady(finding) && finding.before === undefined
    ? shapeOf(finding.case.program)
    : undefined;

/** Findings of one signature that are alike: the one that stands for them, and all of them. */
export interface Group {
  readonly leader: Finding;
  readonly members: readonly Finding[];
}

/** Groups the findings of one signature by shape, that of `first` before the others. What has no settled shape counts with the first. */
export const groupsOf = (findings: readonly Finding[], first: Finding): readonly [Group, ...Group[]] => {
  const groups: [Group, ...Group[]] = [{ leader: first, members: [] }];
  const shape = settledShape(first);
  for (const finding of findings) {
    const own = shape && settledShape(finding);
    const place = own === undefined ? 0 : groups.findIndex(({ leader }) => areAlike(settledShape(leader)!, own));
    if (place < 0 && groups.length < MOST_SHAPES) groups.push({ leader: finding, members: [finding] });
    else {
      const { leader, members } = groups[Math.max(place, 0)];
      groups[Math.max(place, 0)] = { leader, members: [...members, finding] };
    }
  }
  return groups;
};
