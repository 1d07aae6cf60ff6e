/** The situations in which each invariant was exercised, as grids in which the gaps stand out. */

import type { GridCoverage, SituationCount } from '../../coverage/coverage-document.js';
import { compactCount, counted, formatCount } from '../../terminal/numbers.js';
import type { InvariantReport, ReportDocument, SituationReport } from '../document/report-document.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export const situationsSection = ({ invariants }: ReportDocument): Markup | undefined => {
  const lists = invariants.flatMap(({ id, situations }) => (situations === undefined ? [] : [gridsOf(id, situations)]));
  if (lists.length === 0) return undefined;
  return html`<section id="situations" aria-labelledby="situations-title">
    <h2 id="situations-title">Situations</h2>
    <p class="lead">
      How often each invariant was exercised in which situation.<br />
      <span class="key"><span class="swatch reached">12</span> reached</span>
      <span class="key"><span class="swatch empty">0</span> empty: no program reached it</span>
      <span class="key"><span class="swatch unreachable">–</span> unreachable: hover or focus for the reason</span>
    </p>
    ${lists}
  </section>`;
};

/** Open if a situation is empty. */
const gridsOf = (id: InvariantReport['id'], situations: SituationReport): Markup => {
  const { reached, reachable } = situations;
  const empty = reachable - reached;
  return html`<details class="grid" ${empty > 0 ? html`open` : undefined}>
    <summary>
      <span class="name">${id}</span>
      <span class="figure">${reached} of ${reachable}</span>
      ${empty > 0 ? html`<strong class="bad">${counted(empty, 'empty situation')}</strong>` : undefined}
    </summary>
    ${situations.grids.map(
      (grid) =>
        html`<h3>${grid.name}</h3>
          <div class="scroll" role="region" aria-label="${id}: ${grid.name}" tabindex="0">${table(id, grid)}</div>`,
    )}
  </details>`;
};

/** The last axis makes the columns, the product of the others the rows. */
const table = (id: string, { axes, situations }: GridCoverage): Markup => {
  const down = axes.slice(0, -1);
  const across = axes.at(-1);
  const columns = across?.values ?? [];
  const rows = product(down.map(({ values }) => values));
  const byName = new Map(situations.map((situation) => [nameOf(situation.values), situation]));
  return html`<table class="situations">
    <thead>
      <tr>
        ${down.map(({ name }) => html`<th scope="col">${name}</th>`)}
        ${columns.map((value) => html`<th scope="col"><small>${across?.name}</small> ${value}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (values) =>
          html`<tr>
            ${values.map((value) => html`<th scope="row">${value}</th>`)}
            ${columns.map((column) => cell(id, byName.get(nameOf([...values, column]))))}
          </tr>`,
      )}
    </tbody>
  </table>`;
};

const nameOf = (values: readonly string[]): string => JSON.stringify(values);

const product = (lists: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  lists.reduce<readonly (readonly string[])[]>(
    (rows, values) => rows.flatMap((row) => values.map((value) => [...row, value])),
    [[]],
  );

const cell = (id: string, situation: SituationCount | undefined): Markup => {
  if (situation === undefined) return html`<td></td>`;
  const { values, count, unreachable } = situation;
  if (unreachable !== undefined) {
    return html`<td class="unreachable">
      <button type="button" data-hint="Cannot be reached: ${unreachable}">–</button>
    </td>`;
  }
  if (count === 0) {
    return html`<td class="empty">
      <button type="button" data-hint="${id}: no program reached ${values.join(' / ')}">0</button>
    </td>`;
  }
  return html`<td class="reached" title="${formatCount(count)}">${compactCount(count)}</td>`;
};
