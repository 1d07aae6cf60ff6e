/** The two kinds of tables after a step: the guest's own, and the shadow tables that the CPU uses. */

import type {
  Change,
  GuestRow,
  GuestState,
  GuestTable,
  GuestTree,
  Run,
  ShadowLeafRow,
  ShadowSlot,
  ShadowState,
  ShadowTableRow,
} from '../../../properties/explain/explanation.js';
import { UNKNOWN } from '../../../properties/explain/explanation.js';
import { counted } from '../../terminal/numbers.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export const guestTables = (guest: GuestState, run: Run): Markup =>
  html`<div class="block">
    <h4>The guest’s own tables</h4>
    <p class="state-line">${stateText(guest)}</p>
    ${guest.trees.map((tree) => treeView(tree, run))}
  </div>`;

const stateText = ({ initialized, linear, root, kernelAddress, cpu, stack }: GuestState): string => {
  if (!initialized) return 'The guest has not called init; every address maps to itself.';
  const running =
    linear || root === undefined ? 'No root is loaded yet: every address maps to itself' : `Runs on root ${root}`;
  const pinned = stack === undefined ? '' : `, stack of ${counted(stack.pages, 'page')} below ${stack.esp}`;
  return `${running}; its kernel starts at ${kernelAddress}; host CPU ${cpu}${pinned}.`;
};

const treeView = ({ root, current, slots, tables, leftOut }: GuestTree, run: Run): Markup => {
  const found = slots?.length === 0 ? 'in no slot' : `shadowed by slot ${slots?.join(', ')}`;
  const shadowed = slots === undefined ? `slot ${UNKNOWN}` : found;
  // A CPU has no slots.
  const where = [...(current ? ['the guest runs on it'] : []), ...(run.profile === undefined ? [shadowed] : [])];
  return html`<div class="tree">
    <h5>Root ${root} <small>${where.join('; ')}</small></h5>
    ${tables.map((table) => tableView(table, run))} ${leftOutText(leftOut)}
  </div>`;
};

const leftOutText = (leftOut: number): Markup | undefined =>
  leftOut === 0 ? undefined : html`<p class="none">${counted(leftOut, 'row')} more not shown.</p>`;

const tableView = (table: GuestTable, { levels }: Run): Markup => {
  const { level, paddr, from, to, outside, rows } = table;
  const { name } = levels[level];
  return html`<table class="entries level-${level}">
    <caption>
      ${name} at ${paddr}
      <small>${from} … ${to}</small>
    </caption>
    ${
      rows.length === 0
        ? html`<tbody>
            <tr>
              <td class="none">${outside ? 'outside guest RAM' : 'all zero'}</td>
            </tr>
          </tbody>`
        : html`<tbody>
            ${rows.map((row) => entryRow(row, name))}
          </tbody>`
    }
  </table>`;
};

const entryRow = (row: GuestRow, name: string): Markup =>
  html`<tr class="${markClass(row)}">
    <th scope="row">[${row.index}]</th>
    <td>
      <button
        type="button"
        class="entry"
        data-hint="${entryHint(row)}"
        aria-label="${name} entry ${row.index}: ${row.value}"
      >
        ${row.value}
      </button>
    </td>
    <td class="bits">${row.text === '0' ? 'cleared' : row.text}</td>
    <td>
      <button type="button" class="follow" data-follow="${row.from}" title="follow ${row.from}">${row.from}</button>
      ${markWords(row)}
    </td>
  </tr>`;

// The shadow tables.

export const shadowTables = (shadow: ShadowState | undefined, run: Run): Markup => {
  if (shadow === undefined) {
    return html`<div class="block">
      <h4>The shadow tables</h4>
      <p class="none">
        ${
          run.observes.subject.includes('shadow')
            ? 'Unknown: the subject did not show them at this moment.'
            : 'This subject does not expose its shadow tables.'
        }
      </p>
    </div>`;
  }
  const { slots, allocatedTables, reachableTables } = shadow;
  return html`<div class="block">
    <h4>The shadow tables in the four slots</h4>
    <p class="state-line">
      ${counted(allocatedTables, 'host page')} allocated for tables, ${reachableTables} reachable.
    </p>
    <div class="slots">${slots.map((slot) => slotView(slot, run))}</div>
  </div>`;
};

const slotView = (slot: ShadowSlot, run: Run): Markup => {
  const { current, divergent, changed, leaves, gone, tables, leftOut } = slot;
  const marks = [current ? 'current' : '', changed ? 'changed' : '', divergent ? 'divergent' : ''].join(' ');
  return html`<div class="slot ${marks}">
    <h5>Slot ${slot.slot} <small>${slotText(slot)}</small></h5>
    ${leaves.length + gone.length === 0 ? undefined : leavesTable(leaves, gone)} ${leftOutText(leftOut)}
    ${tables.length === 0 ? undefined : tablesOf(tables, run)}
  </div>`;
};

const slotText = ({ current, blank, root, leaves }: ShadowSlot): string => {
  const running = current ? 'the guest runs here; ' : '';
  if (blank) return `${running}blank: never used`;
  const shadows = root === undefined ? 'shadows no root' : `shadows root ${root}`;
  return `${running}${shadows}${leaves.length === 0 ? '; nothing mapped' : ''}`;
};

const leavesTable = (leaves: readonly ShadowLeafRow[], gone: readonly ShadowLeafRow[]): Markup =>
  html`<table class="entries">
    <tbody>
      ${leaves.map(leafRow)} ${gone.map(goneRow)}
    </tbody>
  </table>`;

const leafRow = (leaf: ShadowLeafRow): Markup =>
  html`<tr class="${markClass(leaf)}">
    <th scope="row">
      <button type="button" class="follow" data-follow="${leaf.vaddr}" title="follow ${leaf.vaddr}">
        ${leaf.vaddr}
      </button>
    </th>
    <td>
      <button type="button" class="entry" data-hint="${leafHint(leaf)}">${leaf.targetText}</button>
      <span class="rights">${leaf.rights}</span> ${markWords(leaf)}
    </td>
  </tr>`;

const goneRow = (leaf: ShadowLeafRow): Markup =>
  html`<tr class="gone">
    <th scope="row"><s>${leaf.vaddr}</s></th>
    <td><s>${leaf.targetText}</s> <span class="tag">gone</span></td>
  </tr>`;

const tablesOf = (tables: readonly ShadowTableRow[], { levels }: Run): Markup =>
  html`<details class="tables">
    <summary>${counted(tables.length, 'table')}</summary>
    <ul>
      ${tables.map(
        (table) =>
          html`<li class="${markClass(table)}">
            ${levels[table.level].name} in host page ${table.frame}: ${table.from} … ${table.to}
            ${table.allocated ? undefined : html`<span class="tag bad">freed</span>`} ${markWords(table)}
          </li>`,
      )}
    </ul>
  </details>`;

// Tooltips that decode an entry or a leaf.

const MEANINGS: Readonly<Record<string, string>> = {
  P: 'present',
  RW: 'writable',
  US: 'accessible to user code',
  A: 'accessed',
  D: 'written to (dirty)',
  PWT: 'write-through caching',
  PCD: 'not cached',
  PSE: 'a large page',
  G: 'survives a flush (global)',
  XD: 'no instruction may be fetched',
};

const entryHint = ({ value, page, bits, present, from, to, since }: GuestRow): string =>
  [
    `${value}: page ${page}${present ? '' : ', not present: the CPU stops here'}`,
    ...bits.map((bit) => `${bit}: ${MEANINGS[bit]}`),
    `translates ${from} … ${to}`,
    since === undefined ? '' : `unchanged since step ${since}`,
  ]
    .filter((line) => line !== '')
    .join('\n');

const leafHint = (leaf: ShadowLeafRow): string =>
  [
    `${leaf.vaddr} … maps to ${leaf.targetText}`,
    `leaf: ${rightsText(leaf.writable, leaf.user)}`,
    `entry above it: ${rightsText(leaf.upperWritable, leaf.upperUser)}`,
    `combined: ${leaf.rights}`,
    leaf.since === undefined ? 'unchanged since creation' : `unchanged since step ${leaf.since}`,
  ].join('\n');

const rightsText = (writable: boolean, user: boolean): string =>
  `${writable ? 'read-write' : 'read-only'}, ${user ? 'user and kernel' : 'kernel only'}`;

// Marks on rows that the step changed, or that the divergence is about: a class, and a word.

interface Marked {
  readonly change: Change;
  readonly divergent: boolean;
}

export const markClass = ({ change, divergent }: Marked): string =>
  [change === 'same' ? '' : 'changed', divergent ? 'divergent' : ''].filter((name) => name !== '').join(' ');

const CHANGE_WORDS: Readonly<Record<Change, string>> = { same: '', added: 'new', altered: 'changed' };

export const markWords = ({ change, divergent }: Marked): Markup | undefined => {
  if (divergent) return html`<span class="tag bad">wrong</span>`;
  return change === 'same' ? undefined : html`<span class="tag">${CHANGE_WORDS[change]}</span>`;
};

export const changeOf = (changed: boolean): Change => (changed ? 'altered' : 'same');
