/** A real browser for tests of pages. Set `CHROMIUM` to use another one. */

import { existsSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { test } from 'vitest';

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

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });

export const WINDOWS = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];
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
