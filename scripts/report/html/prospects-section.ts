/** How much each run has left to find, overall and for each invariant. */

import { compactCount, counted, formatCount, formatTime, oddsText } from '../../terminal/numbers.js';
import type { EdgesReport, Prospect, ReportDocument, ResidualRisk } from '../document/report-document.js';
import { estimateText } from '../report-news.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';
import type { Curve } from './plot.js';
import { plot } from './plot.js';

export const prospectsSection = ({ residualRisks, edges }: ReportDocument): Markup | undefined => {
  const risks = residualRisks.filter(({ judged }) => judged > 0);
  if (risks.length === 0) return undefined;
  return html`<section id="prospects" aria-labelledby="prospects-title">
    <h2 id="prospects-title">Left to find</h2>
    <p class="lead">
      Estimated from the situations, and edges of the subject’s own code, that only one or two programs reached (Good
      and Turing, Chao; see Böhme, STADS, 2018). In brackets: the interval that holds the truth with 95 % confidence.
      The estimates are for programs like those of the run: other sizes or options may reach more.
    </p>
    ${risks.map(runView)} ${edges.map(edgesView)}
  </section>`;
};

const runView = (risk: ResidualRisk): Markup => {
  const { source, judged, neverSeen, situations, invariants } = risk;
  const rows = invariants.filter(({ situations: { left } }) => left > 0);
  return html`<h3>${source}</h3>
    <p>
      ${foundText(situations, 'situation', 'judged program')} A signature that never showed is in fewer than
      ${oddsText(neverSeen)} programs: 3 divided by the ${counted(judged, 'program')} judged.
    </p>
    <div class="plots">${discoveryPlot(risk)}</div>
    ${rows.length === 0 ? undefined : prospectsTable(source, [...rows, { id: 'all', situations }])}`;
};

const discoveryPlot = ({ discovery, forecast, situations: { reached, left, again } }: ResidualRisk): Markup => {
  const forecasts = (['value', 'low', 'high'] as const).map((each): Curve => ({
    drawn: 'dashed',
    points: forecast.map(({ programs, situations }) => ({ x: programs, y: situations[each] })),
  }));
  const points = discovery.map(({ programs, situations }) => ({ x: programs, y: situations }));
  return plot({
    title: 'Situations reached by programs',
    description:
      left === 0
        ? `All ${formatCount(reached)}.`
        : `${formatCount(reached)}; dashed: ${estimateText(again)} more in as many programs again.`,
    curves: [{ drawn: 'steps', points }, ...(left === 0 ? [] : forecasts)],
    textOfX: compactCount,
    marks: [],
  });
};

/** Of a subject that counts edges of its own code. */
const edgesView = ({ subject, total, ...prospect }: EdgesReport): Markup =>
  html`<p>
    ${formatCount(prospect.reached)} of ${formatCount(total)} edges in the code of ${subject} were reached.
    ${prospect.left === 0 ? undefined : foundText(prospect, 'edge', 'program')}
  </p>`;

const foundText = ({ reached, left, newPerProgram, again }: Prospect, what: string, unit: string): string => {
  if (left === 0) return `All ${formatCount(reached)} ${what}s were reached.`;
  const { value, low, high } = newPerProgram;
  const chance = `${oddsText(value)} (${oddsText(low)} to ${oddsText(high)})`;
  return `A ${unit} reaches a new ${what} with a probability of at most ${chance}; as many programs again would reach ${estimateText(again)} new ones.`;
};

const prospectsTable = (source: string, rows: ResidualRisk['invariants']): Markup =>
  html`<div class="scroll" role="region" aria-label="Left to find: ${source}" tabindex="0">
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">invariant</th>
          <th scope="col" class="number">situations reached</th>
          <th scope="col" class="number">not reached</th>
          <th scope="col" class="number">of these within reach</th>
          <th scope="col" class="number">new in as many programs again</th>
          <th scope="col">next new one after about</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ id, situations: { reached, left, unseen, again, next } }) =>
            html`<tr>
              <th scope="row">${id}</th>
              <td class="number">${formatCount(reached)}</td>
              <td class="number">${formatCount(left)}</td>
              <td class="number">${estimateText(unseen)}</td>
              <td class="number">${estimateText(again)}</td>
              <td>
                ${next === null ? 'none expected' : `${counted(next.programs, 'program')}, ${formatTime(next.milliseconds)}`}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
