/** The guest's tables as a frame shows them, walked from its roots with nothing cached. */

import { describeEntry, entryBits, formatHex, formatHexEntry } from '../formats/index.js';
import type { Paddr } from '../../model/vocabulary/index.js';
import { ZERO_ENTRY, paddr, sameEntry } from '../../model/vocabulary/index.js';
import type { GuestRecord } from '../guest-record.js';
import { isPresent, pageOf } from '../uncached-walk.js';
import { entryReach } from './levels.js';
import { MOST_ROWS, mostImportant } from './rows.js';
import type { ShadowSnapshot } from './shadow-snapshot.js';
import type { Location } from '../invariants/violation.js';
import type { GuestRow, GuestState, GuestTable, GuestTree, PagingLevel } from './story.js';
import type { WordHistory } from './word-history.js';

export interface GuestContext {
  readonly guest: GuestRecord;
  readonly history: WordHistory;
  readonly levels: readonly PagingLevel[];
  /** Of this frame; none at creation, `end` and `destroy`. */
  readonly step: number | undefined;
  /** Nothing is marked but where the program diverges. */
  readonly location: Location | undefined;
}

export const guestState = (context: GuestContext, shadow: ShadowSnapshot | undefined): GuestState => {
  const { guest } = context;
  return {
    initialized: guest.initialized,
    linear: guest.linear,
    ...(guest.root === undefined ? {} : { root: formatHex(guest.root) }),
    kernelAddress: formatHex(guest.kernelAddress),
    cpu: guest.cpu,
    ...(guest.stackPages === 0 ? {} : { stack: { esp: formatHex(guest.stackTop), pages: guest.stackPages } }),
    trees: rootsOf(guest, shadow).map((root) => treeOf(root, context, shadow)),
  };
};

const rootsOf = ({ root }: GuestRecord, shadow: ShadowSnapshot | undefined): readonly Paddr[] => {
  const shadowed = (shadow?.slots ?? []).flatMap((slot) => (slot.root === undefined ? [] : [slot.root]));
  return [...new Set(root === undefined ? shadowed : [root, ...shadowed])];
};

export const treeOf = (root: Paddr, context: GuestContext, shadow: ShadowSnapshot | undefined): GuestTree => {
  const { tables, unread } = tablesBelow(root, context);
  const rows = tables.flatMap((table) => table.rows);
  const kept = new Set(mostImportant(rows, ({ change, divergent }) => change !== 'same' || divergent));
  return {
    root: formatHex(root),
    current: root === context.guest.root,
    slots: (shadow?.slots ?? []).filter((slot) => slot.root === root).map(({ slot }) => slot),
    tables: tables.map((table) => ({ ...table, rows: table.rows.filter((row) => kept.has(row)) })),
    leftOut: rows.length - kept.size + unread,
  };
};

/** A table to be read, and the first address that it translates. */
interface Reached {
  readonly level: number;
  readonly at: Paddr;
  readonly from: number;
}

/** Level by level. A guest may link a table a thousand times, so there is an end to it; `unread` tables are behind that. */
const tablesBelow = (
  root: Paddr,
  context: GuestContext,
): { readonly tables: readonly GuestTable[]; readonly unread: number } => {
  const tables: GuestTable[] = [];
  const pending: Reached[] = [{ level: 0, at: root, from: 0 }];
  for (const reached of pending) {
    if (tables.length === MOST_ROWS) break;
    const table = tableAt(reached, context);
    tables.push(table);
    for (const row of table.rows) {
      if (row.next === undefined) continue;
      pending.push({ level: reached.level + 1, at: paddr(Number(row.next)), from: Number(row.from) });
    }
  }
  return { tables, unread: pending.length - tables.length };
};

const tableAt = (reached: Reached, context: GuestContext): GuestTable => {
  const level = context.levels[reached.level];
  const bytes = entryReach(level) * level.entries;
  const rows: GuestRow[] = [];
  for (let index = 0; index < level.entries; index++) {
    const row = rowAt(reached, index, context);
    if (row !== undefined) rows.push(row);
  }
  return {
    level: reached.level,
    paddr: formatHex(reached.at),
    from: formatHex(reached.from),
    to: formatHex(reached.from + bytes - 1),
    outside: !context.guest.inRam(reached.at),
    rows,
  };
};

const rowAt = (reached: Reached, index: number, context: GuestContext): GuestRow | undefined => {
  const { guest, history, levels, step, location } = context;
  const level = levels[reached.level];
  const at = paddr(reached.at + index * level.entryBytes);
  const value = guest.inRam(at) ? guest.word(at) : ZERO_ENTRY;
  const since = history.lastWriter(at);
  const written = step !== undefined && since === step;
  if (!written && sameEntry(value, ZERO_ENTRY)) return undefined;
  const from = reached.from + index * entryReach(level);
  const page = pageOf(value);
  const isLeaf = reached.level === levels.length - 1;
  const leads = isPresent(value) && !isLeaf && page < guest.config.guestPages;
  const isNew = written && sameEntry(history.before(at, step), ZERO_ENTRY);
  return {
    index,
    paddr: formatHex(at),
    value: formatHexEntry(value),
    present: isPresent(value),
    bits: entryBits(value),
    page,
    text: describeEntry(value, guest.config.paging),
    from: formatHex(from),
    to: formatHex(from + entryReach(level) - 1),
    ...(leads ? { next: formatHex(page * 4096) } : {}),
    ...(since === undefined ? {} : { since }),
    change: isNew ? 'added' : written ? 'altered' : 'same',
    divergent:
      location?.paddr === at || (isLeaf && location?.vaddr !== undefined && location.vaddr >>> 12 === from / 4096),
  };
};
