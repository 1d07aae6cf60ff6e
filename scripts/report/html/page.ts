/** The whole page: one file that opens from a disk, asks no network for anything, and runs no script but its own. */

import { createHash } from 'node:crypto';
import type { Markup } from './markup.js';
import { html, verbatim } from './markup.js';

export interface Page {
  readonly title: string;
  readonly style: string;
  /** Modules that know nothing of each other. */
  readonly scripts: readonly string[];
  /** Anchors of the sections and their names. */
  readonly contents: readonly (readonly [anchor: string, name: string])[];
  readonly body: Markup;
}

export const pageText = (page: Page): string => {
  const { title, style, scripts, contents, body } = page;
  return html`${verbatim('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta http-equiv="Content-Security-Policy" content="${policyOf(page)}" />
        <title>${title}</title>
        ${verbatim(`<style>${style}</style>`)}
      </head>
      <body>
        <header>
          <p class="brand">shadowdiff</p>
          <nav aria-label="Sections">${contents.map(([anchor, name]) => html`<a href="#${anchor}">${name}</a> `)}</nav>
        </header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
        <div id="hint" role="tooltip" hidden></div>
        ${scripts.map((script) => verbatim(`<script type="module">${script}</script>`))}
      </body>
    </html>`.text;
};

/** Only what has one of these digests runs, whatever may have got into the page. */
const policyOf = ({ style, scripts }: Page): string =>
  [
    "default-src 'none'",
    `style-src ${digestOf(style)}`,
    `script-src ${scripts.map(digestOf).join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

const digestOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
