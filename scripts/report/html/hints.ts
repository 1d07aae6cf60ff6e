/** What an entry or a leaf says, bit by bit, for whoever points at it. */

import type { GuestRow, ShadowLeafRow } from '../../../properties/explain/story.js';

const MEANINGS: Readonly<Record<string, string>> = {
  P: 'present',
  RW: 'may be written',
  US: 'for user code too',
  A: 'was accessed',
  D: 'was written to (dirty)',
  PWT: 'cache writes through',
  PCD: 'not cached',
  PSE: 'a large page',
  G: 'kept over a flush (global)',
};

export const entryHint = ({ value, page, bits, present, from, to, since }: GuestRow): string =>
  [
    `${value}: page ${page}${present ? '' : ', not present: the CPU stops here'}`,
    ...bits.map((bit) => `${bit}: ${MEANINGS[bit] ?? 'the guest’s own bit'}`),
    `translates ${from} … ${to}`,
    since === undefined ? '' : `so since step ${since}`,
  ]
    .filter((line) => line !== '')
    .join('\n');

export const leafHint = (leaf: ShadowLeafRow): string =>
  [
    `${leaf.vaddr} … leads to ${leaf.targetText}`,
    `leaf: ${rightsText(leaf.writable, leaf.user)}`,
    `entry above it: ${rightsText(leaf.upperWritable, leaf.upperUser)}`,
    `both together: ${leaf.rights}`,
    leaf.since === undefined ? 'so since creation' : `so since step ${leaf.since}`,
  ].join('\n');

const rightsText = (writable: boolean, user: boolean): string =>
  `${writable ? 'read-write' : 'read-only'}, ${user ? 'user and kernel' : 'kernel only'}`;
