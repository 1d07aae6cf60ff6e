/** How an address is taken apart, as data: a viewer walks with it. */

import type { Paging } from '../../model/vocabulary/index.js';
import { pagingSizes } from '../../model/vocabulary/index.js';
import { LEVELS } from '../uncached-walk.js';
import type { PagingLevel } from './story.js';

const NAMES: Readonly<Record<Paging, readonly string[]>> = { '2-level': ['PGD', 'PTE'], pae: ['PGD', 'PMD', 'PTE'] };

export const pagingLevels = (paging: Paging): readonly PagingLevel[] =>
  LEVELS[paging].map(({ reach, entries, hasRights }, depth) => ({
    name: NAMES[paging][depth],
    shift: Math.log2(reach),
    entries,
    entryBytes: pagingSizes(paging).entryBytes,
    hasRights,
  }));

/** Addresses that one entry of a level translates, in bytes. */
export const entryReach = ({ shift }: PagingLevel): number => 2 ** shift;
