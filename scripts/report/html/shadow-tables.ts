/** The shadow tables of the four slots: what the CPU really uses. */

import type {
  ShadowLeafRow,
  ShadowSlot,
  ShadowState,
  ShadowTableRow,
  Story,
} from '../../../properties/explain/story.js';
import { counted } from '../../terminal/numbers.js';
import { leftOutText } from './guest-tables.js';
import { leafHint } from './hints.js';
import { markClass, markWords } from './marks.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export const shadowTables = (shadow: ShadowState | undefined, story: Story): Markup => {
  if (shadow === undefined) {
    return html`<div class="block">
      <h4>The shadow tables</h4>
      <p class="none">This subject lets nobody look inside.</p>
    </div>`;
  }
  const { slots, allocatedTables, reachableTables } = shadow;
  return html`<div class="block">
    <h4>The shadow tables in the four slots</h4>
    <p class="state-line">
      ${counted(allocatedTables, 'host page')} handed out for tables, ${reachableTables} reachable.
    </p>
    <div class="slots">${slots.map((slot) => slotView(slot, story))}</div>
  </div>`;
};

const slotView = (slot: ShadowSlot, story: Story): Markup => {
  const { current, divergent, changed, leaves, gone, tables, leftOut } = slot;
  const marks = [current ? 'current' : '', changed ? 'changed' : '', divergent ? 'divergent' : ''].join(' ');
  return html`<div class="slot ${marks}">
    <h5>Slot ${slot.slot} <small>${slotText(slot)}</small></h5>
    ${leaves.length + gone.length === 0 ? undefined : leavesTable(leaves, gone)} ${leftOutText(leftOut)}
    ${tables.length === 0 ? undefined : tablesOf(tables, story)}
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

const tablesOf = (tables: readonly ShadowTableRow[], { levels }: Story): Markup =>
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
