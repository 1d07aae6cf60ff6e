/** Planted bugs against invariants: under how many seeds each invariant caught each bug. */

import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { counted } from '../../terminal/numbers.js';
import type { MatrixRowReport, ReportDocument } from '../document/report-document.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export const matrixSection = ({ matrix }: ReportDocument): Markup | undefined => {
  if (matrix.length === 0) return undefined;
  const columns = columnsOf(matrix);
  return html`<section id="matrix" aria-labelledby="matrix-title">
    <h2 id="matrix-title">Planted bugs and the invariants that catch them</h2>
    <p class="lead">
      ${counted(matrix.length, 'bug')}, each planted alone and hunted under several seeds. A cell gives the number of
      seeds under which the invariant caught the bug on its own; darker means more. A frame marks the only invariant
      that catches the bug. ${missedText(matrix)}
    </p>
    <div class="scroll tall" role="region" aria-label="Matrix of planted bugs and invariants" tabindex="0">
      <table class="heat">
        <thead>
          <tr>
            <th scope="col" class="corner">planted bug</th>
            <th scope="col" class="turned"><span>any</span></th>
            ${columns.map((id) => html`<th scope="col" class="turned"><span>${id}</span></th>`)}
          </tr>
        </thead>
        <tbody>
          ${matrix.map((row) => matrixRow(row, columns))}
        </tbody>
      </table>
    </div>
  </section>`;
};

/** In the order of the registry, then any others. */
const columnsOf = (matrix: readonly MatrixRowReport[]): readonly string[] => {
  const ids = new Set([...INVARIANTS.map(({ id }) => id), ...matrix.flatMap(({ caughtBy }) => Object.keys(caughtBy))]);
  return [...ids];
};

const missedText = (matrix: readonly MatrixRowReport[]): Markup | undefined => {
  const missed = matrix.filter(({ seeds, seedsCaught }) => seedsCaught < seeds).length;
  if (missed === 0) return html`Every seed caught every bug.`;
  return html`<strong class="bad">${counted(missed, 'bug')} went unnoticed under at least one seed.</strong>`;
};

const matrixRow = (row: MatrixRowReport, columns: readonly string[]): Markup => {
  const { defect, seeds, seedsCaught, caughtBy } = row;
  const alone = Object.values(caughtBy).filter((count) => count > 0).length === 1;
  return html`<tr>
    <th scope="row">${defect}</th>
    <td class="${seedsCaught < seeds ? 'missed' : 'any'}">${seedsCaught}/${seeds}</td>
    ${columns.map((id) => cell(caughtBy[id] ?? 0, seeds, alone))}
  </tr>`;
};

const DEGREES = 5;

const cell = (count: number, seeds: number, alone: boolean): Markup => {
  if (count === 0) return html`<td class="heat-0"></td>`;
  const degree = Math.max(1, Math.ceil((count / seeds) * DEGREES));
  return html`<td class="heat-${degree}${alone ? ' alone' : ''}">${count}</td>`;
};
