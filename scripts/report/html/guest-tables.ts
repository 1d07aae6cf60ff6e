/** The guest's own page tables, as the guest sees them. */

import type { GuestRow, GuestState, GuestTable, GuestTree, Story } from '../../../properties/explain/story.js';
import { counted } from '../../terminal/numbers.js';
import { entryHint } from './hints.js';
import { markClass, markWords } from './marks.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export const guestTables = (guest: GuestState, story: Story): Markup =>
  html`<div class="block">
    <h4>The guest’s own tables</h4>
    <p class="state-line">${stateText(guest)}</p>
    ${guest.trees.map((tree) => treeView(tree, story))}
  </div>`;

const stateText = ({ initialized, linear, root, kernelAddress, cpu, stack }: GuestState): string => {
  if (!initialized) return 'The guest has not announced itself (init); every address maps to itself.';
  const running =
    linear || root === undefined ? 'Runs on no root yet: every address maps to itself' : `Runs on root ${root}`;
  const pinned = stack === undefined ? '' : `, stack of ${counted(stack.pages, 'page')} below ${stack.esp}`;
  return `${running}; its kernel begins at ${kernelAddress}; host CPU ${cpu}${pinned}.`;
};

const treeView = ({ root, current, slots, tables, leftOut }: GuestTree, story: Story): Markup => {
  const shadowed = slots.length === 0 ? 'in no slot' : `shadowed by slot ${slots.join(', ')}`;
  return html`<div class="tree">
    <h5>Root ${root} <small>${current ? 'the guest runs on it; ' : ''}${shadowed}</small></h5>
    ${tables.map((table) => tableView(table, story))} ${leftOutText(leftOut)}
  </div>`;
};

export const leftOutText = (leftOut: number): Markup | undefined =>
  leftOut === 0 ? undefined : html`<p class="none">${counted(leftOut, 'row')} more, left out here.</p>`;

const tableView = (table: GuestTable, { levels }: Story): Markup => {
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
