/** One moment of a finding: what the step did, and everything as it is after it. */

import type { Frame, Story } from '../../../properties/explain/story.js';
import { comparison, references } from './comparison.js';
import { guestTables } from './guest-tables.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';
import { shadowTables } from './shadow-tables.js';

/** `finding-1/step-3`: the anchor of a moment. */
export const anchorOf = (finding: string, { name }: Pick<Frame, 'name'>): string =>
  `${finding}/${name.replace(' ', '-')}`;

/** Only the last is shown at first; the script of the page shows the others. */
export const frameView = (frame: Frame, story: Story, finding: string): Markup => {
  const anchor = anchorOf(finding, frame);
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
    ${frame.diverges ? divergenceBanner(story) : undefined} ${changesList(frame)}
    <div class="pair">${comparison(frame, story)} ${references(frame, story)}</div>
    <div class="pair">${guestTables(frame.guest, story)} ${shadowTables(frame.shadow, story)}</div>
  </section>`;
};

const divergenceBanner = ({ divergence, invariant }: Story): Markup =>
  html`<div class="diverges">
    <strong>Here the two sides part.</strong>
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

const changesList = ({ changes, name }: Frame): Markup =>
  changes.length === 0
    ? html`<p class="none">Nothing changed${name === 'create' ? '' : ' in this step'}.</p>`
    : html`<ul class="changes">
        ${changes.map((change) => html`<li>${change}</li>`)}
      </ul>`;
