/** The situations in which each invariant was exercised, as grids in which what is missing stands out. */

import { compactCount, counted, formatCount } from '../../terminal/numbers.js';
import type {
  BucketReport,
  GridReport,
  InvariantReport,
  ReportDocument,
  SituationReport,
} from '../document/report-document.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export const situationsSection = ({ invariants }: ReportDocument): Markup | undefined => {
  const lists = invariants.flatMap(({ id, situations }) => (situations === undefined ? [] : [gridsOf(id, situations)]));
  if (lists.length === 0) return undefined;
  return html`<section id="situations" aria-labelledby="situations-title">
    <h2 id="situations-title">Situations</h2>
    <p class="lead">
      In which situations each invariant was exercised, and how often.
      <span class="key"><span class="swatch reached">12</span> reached</span>
      <span class="key"><span class="swatch empty">0</span> empty: no program got there</span>
      <span class="key"><span class="swatch unreachable">–</span> cannot be reached; the reason shows on focus</span>
    </p>
    ${lists}
  </section>`;
};

/** Open where something is missing. */
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

/** The last axis stands across, the product of the others down. */
const table = (id: string, { axes, buckets }: GridReport): Markup => {
  const down = axes.slice(0, -1);
  const across = axes.at(-1);
  const columns = across?.values ?? [];
  const rows = product(down.map(({ values }) => values));
  const byName = new Map(buckets.map((bucket) => [nameOf(bucket.values), bucket]));
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

const cell = (id: string, bucket: BucketReport | undefined): Markup => {
  if (bucket === undefined) return html`<td></td>`;
  const { values, count, unreachable } = bucket;
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
