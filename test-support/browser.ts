/** A real browser for tests of pages. Set `CHROMIUM` to use another one. */

import { existsSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import axe from 'axe-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, test } from 'vitest';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const CHROMIUM = process.env['CHROMIUM'] ?? PLACES.find((path) => existsSync(path)) ?? PLACES[0];
export const isBrowserThere = existsSync(CHROMIUM);

/** Fails where one must be. */
export const testBrowserIsThere = (): void =>
  test.skipIf(isBrowserThere)('there is a browser to open the page in', (context) => {
    const problem = `no Chromium at ${CHROMIUM}: install it, or set CHROMIUM to the path of one`;
    if (process.env['CI'] === 'true') throw new Error(problem);
    console.warn(`skipped: ${problem}`);
    context.skip(problem);
  });

export const WINDOWS = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

/** Where a page is now. What `Page.url` returns is behind while the page changes its own address. */
export const addressOf = (page: Page): Promise<string> => page.evaluate('location.href');

/** A browser for the tests that follow. After each of them its pages are closed, and the test fails for what was wrong in them. */
export class WatchedBrowser {
  /** Errors of pages, and requests that they should not have made. */
  readonly troubles: string[] = [];
  private readonly mayAsk: (url: string) => boolean;
  private browser!: Browser;

  /** `mayAsk`: what a page may ask for. */
  constructor(mayAsk: (url: string) => boolean) {
    this.mayAsk = mayAsk;
    beforeAll(async () => {
      this.browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    });
    afterAll(() => this.browser.close());
    afterEach(async () => {
      for (const context of this.browser.contexts()) await context.close();
      const seen = this.troubles.splice(0);
      if (seen.length > 0) throw new Error(seen.join('\n'));
    });
  }

  /** A wide window, unless the options have another. */
  contextFor(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return this.browser.newContext({ viewport: WINDOWS[0], ...options });
  }

  async newPage(context: BrowserContext): Promise<Page> {
    return this.watched(await context.newPage());
  }

  watched(page: Page): Page {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.troubles.push(message.text());
    });
    page.on('pageerror', (error) => this.troubles.push(error.message));
    page.on('request', (request) => {
      if (!this.mayAsk(request.url())) this.troubles.push(`asks for ${request.url()}`);
    });
    return page;
  }
}
export const SCHEMES = ['light', 'dark'] as const;

/** Elements that reach beyond the window, but for those in a region that scrolls. */
export const tooWide = (page: Page): Promise<readonly string[]> =>
  page.locator('body *:not(.scroll *)').evaluateAll((elements) => {
    const { innerWidth } = globalThis as unknown as { readonly innerWidth: number };
    return elements
      .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 0.5)
      .map(({ outerHTML }) => outerHTML.slice(0, 100));
  });

/** What axe calls serious or critical, with the elements. */
export const violations = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate<AxeResults>('axe.run()');
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map((node) => node.html.slice(0, 200))
          .join(' … ')}`,
    );
};
