/** What the runs exercised: each invariant, and the code. */

import { compactCount, counted, formatCount, formatShare } from '../../terminal/numbers.js';
import type { CodeReport, InvariantReport, MutationScore, ReportDocument } from '../document/report-document.js';
import { STATE_WORDS } from '../report-news.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

interface Column {
  readonly name: string;
  /** Undefined if it was not measured. */
  readonly cell: (invariant: InvariantReport) => Markup | undefined;
}

const COLUMNS: readonly Column[] = [
  {
    name: 'checks, premise held',
    cell: ({ checks, exercised }) =>
      bar(exercised, checks, `${compactCount(checks)}, ${formatShare(exercised, checks)}`),
  },
  {
    name: 'situations reached',
    cell: ({ situations }) =>
      situations && bar(situations.reached, situations.reachable, `${situations.reached} of ${situations.reachable}`),
  },
  { name: 'edges of the subject', cell: ({ edges }) => (edges === undefined ? undefined : html`${edges}`) },
  { name: 'lines of impl', cell: ({ code }) => code && bar(code.lines.covered, code.lines.total) },
  { name: 'branches of impl', cell: ({ code }) => code && bar(code.branches.covered, code.branches.total) },
  { name: 'planted bugs caught', cell: ({ defects }) => defects && caughtView(defects) },
];

/** Columns that no run measured are left out. */
export const invariantsSection = ({ invariants }: ReportDocument): Markup => {
  const columns = COLUMNS.filter(({ cell }) => invariants.some((invariant) => cell(invariant) !== undefined));
  return html`<section id="invariants" aria-labelledby="invariants-title">
    <h2 id="invariants-title">Invariants</h2>
    <p class="lead">
      Rules that every sound machine obeys, checked after every step. A check counts as exercised only if its premise
      held. Invariants with problems come first.
    </p>
    <table class="invariants">
      <thead>
        <tr>
          <th scope="col">invariant</th>
          ${columns.map(({ name }) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${invariants.map((invariant) => invariantRow(invariant, columns))}
      </tbody>
    </table>
  </section>`;
};

const invariantRow = (invariant: InvariantReport, columns: readonly Column[]): Markup => {
  const { id, statement, state } = invariant;
  return html`<tr class="${state}" id="invariant-${id}">
    <th scope="row">
      <span class="name">${id}</span> <span class="state">${stateText(invariant)}</span>
      <span class="statement">${statement}</span>
    </th>
    ${columns.map(({ name, cell }) => html`<td data-label="${name}">${cell(invariant) ?? NONE}</td>`)}
  </tr>`;
};

const NONE = html`<span class="none" title="not measured">–</span>`;

const stateText = ({ state, findings, asked, because }: InvariantReport): string => {
  const words = state === 'broken' ? `broken: ${counted(findings, 'finding')}` : STATE_WORDS[state];
  if (asked === 'fully') return words;
  return `${words}${asked === 'partly' ? ', asked only in part' : ''}: ${because.join('; ')}`;
};

const caughtView = ({ alone, withOthers }: NonNullable<InvariantReport['defects']>): Markup =>
  html`<span class="caught"
    ><span title="${alone.join(', ')}">${alone.length} alone</span>
    <span title="${withOthers.join(', ')}">${withOthers.length} with others</span></span
  >`;

// Code.

export const codeSection = ({ code, mutations }: ReportDocument): Markup | undefined => {
  if (code === undefined && mutations.length === 0) return undefined;
  return html`<section id="code" aria-labelledby="code-title">
    <h2 id="code-title">Code</h2>
    ${code && reachedView(code)} ${mutations.map((score) => html`<p>${mutationText(score)}</p>`)}
  </section>`;
};

const reachedView = ({ impl, model, unreached }: CodeReport): Markup => {
  const files = [...new Set(unreached.map(({ file }) => file))];
  return html`<table class="plain code">
      <thead>
        <tr>
          <th scope="col">folder</th>
          <th scope="col">lines</th>
          <th scope="col">branches</th>
          <th scope="col">functions</th>
        </tr>
      </thead>
      <tbody>
        ${shareRow('impl', impl)} ${shareRow('model', model)}
      </tbody>
    </table>
    ${
      files.length === 0
        ? html`<p>Every line was reached.</p>`
        : html`<details>
            <summary>${counted(unreached.length, 'line')} that no program reached</summary>
            ${files.map((file) => fileLines(file, unreached))}
          </details>`
    }`;
};

/** It was not measured in these runs, and says so. */
const mutationText = ({ machine, version, date, programs, mutations, found, ...rest }: MutationScore): string => {
  const { equivalent, guards, missed } = rest;
  const others = `${formatCount(equivalent)} change nothing that a program could show, ${formatCount(guards)} weaken guards against bugs of the machine itself, ${formatCount(missed)} are missed`;
  return `Of ${counted(mutations, 'mutation')} of ${machine}, changes in one place, ${counted(programs, 'program')} of the default traffic find ${formatCount(found)}. Of the others, ${others}. Measured on ${date} with version ${version}, not in these runs.`;
};

const shareRow = (folder: string, { lines, branches, functions }: CodeReport['impl']): Markup =>
  html`<tr>
    <th scope="row">${folder}</th>
    ${[lines, branches, functions].map(({ covered, total }) => html`<td>${bar(covered, total)}</td>`)}
  </tr>`;

const fileLines = (file: string, unreached: CodeReport['unreached']): Markup => {
  const lines = unreached.filter((each) => each.file === file);
  const text = lines.map((each) => `${String(each.line).padStart(5)}  ${each.text}`).join('\n');
  return html`<h3>${file}</h3>
    <pre class="scroll" role="region" aria-label="Unreached lines of ${file}" tabindex="0">${text}</pre>`;
};

/** A share as a number and a bar. `text`: the words beside the bar. */
export const bar = (part: number, whole: number, text: string = formatShare(part, whole)): Markup => {
  if (whole === 0) return html`<span class="none">–</span>`;
  const percent = Math.round((part / whole) * 1000) / 10;
  const level = part === 0 ? 'empty' : part < whole ? 'partial' : 'full';
  return html`<span class="share ${level}"
    ><span class="figure">${text}</span
    ><svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="4" />
      <rect class="fill" width="${percent}" height="4" /></svg
  ></span>`;
};
