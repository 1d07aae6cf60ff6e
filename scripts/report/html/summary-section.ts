/** The top of the page: the verdict, and the runs that it rests on. */

import { counted, formatCount, formatTime, judgedText } from '../../terminal/numbers.js';
import type { ReportDocument, ReportVerdict } from '../document/report-document.js';
import { verdictSentence } from '../document/report-verdict.js';
import type { NewsLine } from '../report-news.js';
import { corpusNews, healthLines, problemLines } from '../report-news.js';
import type { Content, Markup } from './markup.js';
import { html } from './markup.js';

const SIGNS = { divergence: '✕', unsaved: '✕', clean: '✓', inconclusive: '?', interrupted: '?' } as const;

interface SummaryFrame {
  /** Gives it its colour. */
  readonly kind: ReportVerdict['kind'];
  readonly sentence: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly news: readonly (Omit<NewsLine, 'text'> & { readonly text: Content })[];
}

export const summarySection = (report: ReportDocument): Markup => {
  const { verdict, programs, judged, steps, milliseconds, runs, known } = report;
  const tested = `${namesOf(runs.map(({ subject }) => subject))} against ${namesOf(runs.map(({ reference }) => reference))}`;
  return summaryFrame(
    {
      kind: verdict.kind,
      sentence: verdictSentence(verdict),
      facts: [
        ['programs', `${formatCount(programs)}${judgedText(judged, programs)}`],
        ['steps', formatCount(steps)],
        ['time', formatTime(milliseconds)],
        ['version', report.version],
        ['tested', tested],
      ],
      // Doubts and problems, how the runs went, and entries of the corpus to look into.
      news: [...problemLines(report), ...healthLines(report), ...corpusNews(report)],
    },
    [runs.length === 0 ? undefined : runsTable(report), known.length === 0 ? undefined : knownTable(report)],
  );
};

export const summaryFrame = ({ kind, sentence, facts, news }: SummaryFrame, below?: Content): Markup =>
  html`<section class="summary ${kind}" aria-labelledby="verdict">
    <h2 id="verdict"><span class="sign" aria-hidden="true">${SIGNS[kind]}</span> ${sentence}</h2>
    <dl class="facts">${facts.map(([name, value]) => fact(name, value))}</dl>
    ${news.length === 0 ? undefined : newsList(news)} ${below}
  </section>`;

const fact = (name: string, value: string): Markup =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;

const namesOf = (names: readonly string[]): string => [...new Set(names)].join(', ') || '–';

const newsList = (lines: SummaryFrame['news']): Markup =>
  html`<dl class="news">
    ${lines.map(
      ({ label, text, tone, command }) =>
        html`<div class="${tone}">
          <dt>${label}</dt>
          <dd>${text}${command === undefined ? undefined : html`<br /><code>${command}</code>`}</dd>
        </div>`,
    )}
  </dl>`;

const runsTable = ({ runs }: ReportDocument): Markup => {
  const profiled = runs.some(({ profile }) => profile !== undefined);
  return html`<details>
    <summary>${counted(runs.length, 'run')}</summary>
    <div class="scroll" role="region" aria-label="Runs" tabindex="0">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">run</th>
            <th scope="col">seed</th>
            <th scope="col">started</th>
            ${profiled ? html`<th scope="col">profile</th>` : undefined}
            <th scope="col">paging</th>
            <th scope="col">guests</th>
            <th scope="col" class="number">programs</th>
            <th scope="col" class="number">time</th>
            <th scope="col">verdict</th>
          </tr>
        </thead>
        <tbody>
          ${runs.map(
            (run) =>
              html`<tr>
                <th scope="row">${run.command} <small>${run.source}</small></th>
                <td><code>${run.seed}</code></td>
                <td>${run.started.slice(0, 19).replace('T', ' ')}</td>
                ${profiled ? html`<td>${[run.profile ?? 'lguest', ...(run.features ?? [])].join(', ')}</td>` : undefined}
                <td>${run.paging === 'pae' ? 'PAE' : run.paging}</td>
                <td>${run.traffic}</td>
                <td class="number">${formatCount(run.programs)}${judgedText(run.judged, run.programs)}</td>
                <td class="number">${formatTime(run.milliseconds)}</td>
                <td>${run.verdict}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
};

const knownTable = ({ known }: ReportDocument): Markup =>
  html`<details>
    <summary>${counted(known.length, 'known finding')}</summary>
    <div class="scroll" role="region" aria-label="Known findings" tabindex="0">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">finding</th>
            <th scope="col" class="number">programs</th>
            <th scope="col">reason</th>
            <th scope="col">owner</th>
            <th scope="col">until</th>
          </tr>
        </thead>
        <tbody>
          ${known.map(
            (each) =>
              html`<tr>
                <th scope="row">
                  ${each.signature}${each.counterexample === undefined ? undefined : html` (<code>${each.counterexample}</code>)`}
                </th>
                <td class="number">${each.count === 0 ? 'no longer occurs' : formatCount(each.count)}</td>
                <td>${each.reason}</td>
                <td>${each.owner}</td>
                <td>${each.expires}${each.expired ? ' (expired)' : ''}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
