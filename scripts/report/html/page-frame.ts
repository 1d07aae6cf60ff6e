/** What is around the content of a page: one file that loads nothing from the network and runs no script but its own. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageDirectory } from '../../own-package.js';
import type { Markup } from './markup.js';
import { html, verbatim } from './markup.js';

/** Inlined into the page as they are. */
const VIEWER = 'scripts/report/html/viewer';
const STYLES = ['page.css', 'finding.css'];
const SCRIPTS = ['stepper.js', 'follow.js', 'hints.js'];

/** What findings are shown with; the last script serves any page. */
export const readViewer = async (): Promise<Pick<Page, 'style' | 'scripts'>> => ({
  style: (await Promise.all(STYLES.map(viewerFile))).join('\n'),
  scripts: await Promise.all(SCRIPTS.map(viewerFile)),
});

export const viewerFile = (name: string): Promise<string> => readFile(join(packageDirectory(), VIEWER, name), 'utf8');

export interface Page {
  readonly title: string;
  readonly style: string;
  /** Modules that are independent of each other. */
  readonly scripts: readonly string[];
  /** Anchors of the sections and their names. */
  readonly contents: readonly (readonly [anchor: string, name: string])[];
  readonly body: Markup;
  /** Its scripts start themselves again as workers. */
  readonly startsWorkers?: true;
  /** A page that it holds and opens, which then keeps to the policy of both. */
  readonly opens?: Page | undefined;
}

export const pageMarkup = (page: Page): Markup => {
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
    </html>`;
};

/** Only scripts and styles with these digests take effect, whatever text the page contains. */
const policyOf = (page: Page): string => {
  const pages = page.opens === undefined ? [page] : [page, page.opens];
  return [
    "default-src 'none'",
    `style-src ${pages.map(({ style }) => digestOf(style)).join(' ')}`,
    `script-src ${[...new Set(pages.flatMap(({ scripts }) => scripts.map(digestOf)))].join(' ')}`,
    ...(pages.some(({ startsWorkers }) => startsWorkers) ? ['worker-src blob:'] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
};

const digestOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
