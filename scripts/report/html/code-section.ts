/** The code that no program reached. */

import { counted } from '../../terminal/numbers.js';
import type { CodeReport, ReportDocument } from '../document/report-document.js';
import { bar } from './bar.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export const codeSection = ({ code }: ReportDocument): Markup | undefined => {
  if (code === undefined) return undefined;
  const files = [...new Set(code.unreached.map(({ file }) => file))];
  return html`<section id="code" aria-labelledby="code-title">
    <h2 id="code-title">Code</h2>
    <table class="plain code">
      <thead>
        <tr>
          <th scope="col">folder</th>
          <th scope="col">lines</th>
          <th scope="col">branches</th>
          <th scope="col">functions</th>
        </tr>
      </thead>
      <tbody>
        ${shareRow('impl', code.impl)} ${shareRow('model', code.model)}
      </tbody>
    </table>
    ${
      files.length === 0
        ? html`<p>Every line was reached.</p>`
        : html`<details>
            <summary>${counted(code.unreached.length, 'line')} that no program reached</summary>
            ${files.map((file) => fileLines(file, code.unreached))}
          </details>`
    }
  </section>`;
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
