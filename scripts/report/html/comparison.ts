/** What both sides showed after a step. */

import type { Compared, Frame, ReferenceRow, StoreRow, Story } from '../../../properties/explain/story.js';
import { changeOf, markClass, markWords } from './marks.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

interface Row {
  readonly name: string;
  readonly expected: string;
  readonly actual: string;
  readonly differs: boolean;
  readonly changed: boolean;
  readonly divergent: boolean;
}

type Sides = Pick<Story, 'reference' | 'subject'>;

export const comparison = (frame: Frame, sides: Sides): Markup => {
  const rows = [frame.outcome, ...frame.counts].map(comparedRow);
  return html`<div class="block">
    <h4>What both sides show</h4>
    ${sidesTable('shown', [...rows, ...frame.stores.map(storeRow)], sides)}
  </div>`;
};

export const references = (frame: Frame, sides: Sides): Markup =>
  html`<div class="block">
    <h4>References held on guest pages</h4>
    ${
      frame.references.length === 0
        ? html`<p class="none">None: nothing of the guest’s memory is mapped.</p>`
        : sidesTable('guest page', frame.references.map(referenceRow), sides)
    }
  </div>`;

const comparedRow = ({ field, expected, actual, differs, changed, divergent }: Compared): Row => ({
  name: field,
  expected,
  actual,
  differs,
  changed,
  divergent,
});

const storeRow = (store: StoreRow): Row => ({
  name: `wrote [${store.paddr}]`,
  expected: store.expectedText ?? 'nothing',
  actual: store.actualText ?? 'nothing',
  differs: store.differs,
  changed: true,
  divergent: store.divergent,
});

const referenceRow = ({ page, expected, actual, differs, changed, divergent }: ReferenceRow): Row => ({
  name: `page ${page}`,
  expected: String(expected),
  actual: String(actual),
  differs,
  changed,
  divergent,
});

const sidesTable = (head: string, rows: readonly Row[], { reference, subject }: Sides): Markup =>
  html`<table class="sides">
    <thead>
      <tr>
        <th scope="col">${head}</th>
        <th scope="col">expected <small>(${reference})</small></th>
        <th scope="col">actual <small>(${shortName(subject)})</small></th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(sidesRow)}
    </tbody>
  </table>`;

/** An exec: name is a whole command line. */
const shortName = (name: string): string => (name.startsWith('exec:') ? 'exec' : name.split(':', 1)[0]);

const sidesRow = ({ name, expected, actual, differs, changed, divergent }: Row): Markup => {
  const marked = { change: changeOf(changed), divergent: divergent || differs };
  return html`<tr class="${markClass(marked)}">
    <th scope="row">${name}</th>
    <td>${expected}</td>
    <td>${actual} ${markWords(marked)}</td>
  </tr>`;
};
