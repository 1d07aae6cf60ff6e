/** What was looked at, invariant by invariant; those with trouble first. */

import { compactCount, counted, formatShare } from '../../terminal/numbers.js';
import type { InvariantReport, InvariantState, ReportDocument } from '../document/report-document.js';
import { bar } from './bar.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

const STATE_WORDS: Readonly<Record<InvariantState, string>> = {
  broken: 'broken',
  idle: 'never exercised',
  gaps: 'held, with gaps',
  fine: 'held',
  'not-applicable': 'does not apply',
};

export const invariantsSection = ({ invariants }: ReportDocument): Markup =>
  html`<section id="invariants" aria-labelledby="invariants-title">
    <h2 id="invariants-title">Invariants</h2>
    <p class="lead">
      Rules that hold of every sound machine, asked after every step. A check counts as work only if its premise held.
      Those with trouble come first.
    </p>
    <table class="invariants">
      <thead>
        <tr>
          <th scope="col">invariant</th>
          <th scope="col">checks, premise held</th>
          <th scope="col">situations reached</th>
          <th scope="col">lines of impl</th>
          <th scope="col">branches of impl</th>
          <th scope="col">planted bugs caught</th>
        </tr>
      </thead>
      <tbody>
        ${invariants.map(invariantRow)}
      </tbody>
    </table>
  </section>`;

const invariantRow = (invariant: InvariantReport): Markup => {
  const { id, statement, state, checks, exercised, situations, code } = invariant;
  return html`<tr class="${state}" id="invariant-${id}">
    <th scope="row">
      <span class="name">${id}</span> <span class="state">${stateText(invariant)}</span>
      <span class="statement">${statement}</span>
    </th>
    <td data-label="checks, premise held">${bar(exercised, checks, checksText(checks, exercised))}</td>
    <td data-label="situations reached">${situations === undefined ? NONE : situationsBar(situations)}</td>
    <td data-label="lines of impl">${code === undefined ? NONE : bar(code.lines.covered, code.lines.total)}</td>
    <td data-label="branches of impl">
      ${code === undefined ? NONE : bar(code.branches.covered, code.branches.total)}
    </td>
    <td data-label="planted bugs caught">${caughtText(invariant)}</td>
  </tr>`;
};

const NONE = html`<span class="none" title="not measured">–</span>`;

const stateText = ({ state, findings }: InvariantReport): string =>
  state === 'broken' ? `broken: ${counted(findings, 'finding')}` : STATE_WORDS[state];

const checksText = (checks: number, exercised: number): string =>
  `${compactCount(checks)}, ${formatShare(exercised, checks)}`;

const situationsBar = ({ reached, reachable }: NonNullable<InvariantReport['situations']>): Markup =>
  bar(reached, reachable, `${reached} of ${reachable}`);

const caughtText = ({ defects }: InvariantReport): Markup => {
  if (defects === undefined) return NONE;
  const { alone, withOthers } = defects;
  return html`<span class="caught"
    ><span title="${alone.join(', ')}">${alone.length} alone</span>
    <span title="${withOthers.join(', ')}">${withOthers.length} with others</span></span
  >`;
};
