/** One step of a finding: what it did, and the state after it. */

import type {
  Compared,
  Explanation,
  Frame,
  ReferenceRow,
  Run,
  StoreRow,
} from '../../../properties/explain/explanation.js';
import { UNKNOWN } from '../../../properties/explain/explanation.js';
import type { Observable } from '../../../model/vocabulary/index.js';
import { OBSERVABLES } from '../../../model/vocabulary/index.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';
import { changeOf, guestTables, markClass, markWords, shadowTables } from './table-views.js';

/** `finding-1/step-3`: the anchor of a step. */
export const anchorOf = (finding: string, { name }: Pick<Frame, 'name'>): string =>
  `${finding}/${name.replace(' ', '-')}`;

/** Only the diverging step is shown at first; the page's script shows the others. */
export const frameView = (frame: Frame, run: Run, finding: string): Markup => {
  const anchor = anchorOf(finding, frame);
  const isCpu = run.profile === 'architecture';
  return html`<section
    class="frame"
    id="${anchor}"
    aria-label="${frame.name}"
    ${frame.diverges ? undefined : html`hidden`}
  >
    <h4 class="step-title">
      <a href="#${anchor}">${frame.name}</a> <code>${frame.listing.replace(/ {2,}/g, ' ')}</code>
    </h4>
    <p class="meaning">${frame.meaning}</p>
    ${frame.diverges && 'divergence' in run ? divergenceBanner(run) : undefined} ${changesList(frame, run)}
    <div class="pair">${comparison(frame, run)} ${isCpu ? undefined : references(frame, run)}</div>
    <div class="pair">${guestTables(frame.guest, run)} ${isCpu ? undefined : shadowTables(frame.shadow, run)}</div>
  </section>`;
};

const divergenceBanner = ({ divergence, invariant }: Explanation): Markup =>
  html`<div class="diverges">
    <strong>The two sides diverge here.</strong>
    <dl>
      <div>
        <dt>${divergence.field}</dt>
        <dd>expected <b>${divergence.expected}</b>, was <b>${divergence.actual}</b></dd>
      </div>
      <div>
        <dt>broken rule</dt>
        <dd><a href="#invariant-${invariant.id}">${invariant.id}</a>: ${invariant.statement}</dd>
      </div>
    </dl>
  </div>`;

const changesList = ({ changes, name }: Frame, { observes }: Run): Markup =>
  changes.length === 0
    ? html`<p class="none">
        ${observesAll(observes.subject) ? 'Nothing' : 'Nothing that the subject shows'}
        changed${name === 'create' ? '' : ' in this step'}.
      </p>`
    : html`<ul class="changes">
        ${changes.map((change) => html`<li>${change}</li>`)}
      </ul>`;

const observesAll = (observes: readonly Observable[]): boolean => OBSERVABLES.every((each) => observes.includes(each));

// What both sides showed after the step.

interface Row {
  readonly name: string;
  readonly expected: string;
  readonly actual: string;
  readonly differs: boolean;
  readonly changed: boolean;
  readonly divergent: boolean;
}

type Sides = Pick<Run, 'reference' | 'subject'>;

const comparison = (frame: Frame, sides: Sides): Markup => {
  const rows = [frame.outcome, ...frame.counts].map(comparedRow);
  return html`<div class="block">
    <h4>What both sides show</h4>
    ${sidesTable('shown', [...rows, ...frame.stores.map(storeRow)], sides)}
  </div>`;
};

const references = (frame: Frame, sides: Pick<Run, 'reference' | 'subject' | 'observes'>): Markup =>
  html`<div class="block">
    <h4>References held on guest pages</h4>
    ${
      frame.references.length === 0
        ? html`<p class="none">
            ${
              sides.observes.subject.includes('references')
                ? 'None: no guest memory is mapped.'
                : 'Unknown: the subject does not show them.'
            }
          </p>`
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
  expected: String(expected ?? UNKNOWN),
  actual: String(actual ?? UNKNOWN),
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

/** The name of an exec: subject is a whole command line. */
const shortName = (name: string): string => (name.startsWith('exec:') ? 'exec' : name.split(':', 1)[0]);

const sidesRow = ({ name, expected, actual, differs, changed, divergent }: Row): Markup => {
  const marked = { change: changeOf(changed), divergent: divergent || differs };
  return html`<tr class="${markClass(marked)}">
    <th scope="row">${name}</th>
    <td>${expected}</td>
    <td>${actual} ${markWords(marked)}</td>
  </tr>`;
};
