/** The report in a real browser. Set `SCREENSHOTS` to a directory to keep pictures in. */

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  SCHEMES,
  WINDOWS,
  WatchedBrowser,
  addressOf,
  isBrowserThere,
  testBrowserIsThere,
  tooWide,
  violations,
} from '../../../test-support/browser.js';
import { capturedCall } from '../../../test-support/captured-call.js';
import { sampleCoverage, sampleMatrix } from '../../../test-support/sample-documents.js';

testBrowserIsThere();

/** Quickly finds two kinds of divergence, both with tables to follow. */
const TWO_BUGS = [
  '--subject',
  'impl:set-pgd-loses-switcher,set-pte-upgrades-in-place',
  '--seed',
  'report',
  '--max-findings',
  '2',
];

describe.skipIf(!isBrowserThere)('the page', () => {
  let directory: string;
  let url: string;
  const browser = new WatchedBrowser((asked) => asked.startsWith(url));

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'report-page-'));
    const run = join(directory, 'run');
    const matrix = sampleMatrix();
    const coverage = sampleCoverage();
    await capturedCall(['fuzz', ...TWO_BUGS, '--corpus', join(directory, 'corpus'), '--out', run]);
    await writeFile(
      join(run, 'coverage.json'),
      JSON.stringify({ ...coverage, invariants: coverage.invariants.slice(0, 6) }),
    );
    await writeFile(join(run, 'matrix.json'), JSON.stringify({ ...matrix, rows: matrix.rows.slice(0, 12) }));
    url = await reportOf(run);
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  const reportOf = async (run: string): Promise<string> => {
    const file = join(directory, 'report.html');
    const { code, err } = await capturedCall(['report', run, '--out', file]);
    if (code !== 0) throw new Error(err);
    return pathToFileURL(file).href;
  };

  const open = async (anchor = '', options: BrowserContextOptions = {}): Promise<Page> => {
    const page = await browser.newPage(await browser.contextFor(options));
    await page.goto(url + anchor);
    return page;
  };

  /** Ids of the steps that the page shows in open findings. */
  const shown = (page: Page): Promise<readonly string[]> =>
    page.locator('.finding[open] .frame:visible').evaluateAll((frames) => frames.map(({ id }) => id));

  test('begins with the verdict, and shows where the first finding diverges', async () => {
    const page = await open();
    await expect(page.locator('.summary h2').textContent()).resolves.toMatch(
      /Divergence: 2 kinds of finding in .* programs, .*one of which can harm the host/,
    );
    expect(await shown(page)).toEqual([expect.stringMatching(/^finding-1\/(step-\d+|end|destroy)$/)]);
    await expect(page.locator('.frame:visible .diverges').count()).resolves.toBe(1);
    await expect(page.locator('#finding-1 .why').textContent()).resolves.toMatch(/\.\s*$/);
  });

  test('is stepped through with keys and buttons, and back and forward', async () => {
    const page = await open();
    const [last] = await shown(page);
    await page.keyboard.press('ArrowRight');
    expect(await shown(page)).toEqual([last]);
    await page.keyboard.press('ArrowLeft');
    const [before] = await shown(page);
    expect(before).not.toBe(last);
    expect(new URL(await addressOf(page)).hash).toBe(`#${before}`);
    await page.keyboard.press('k');
    await page.locator('#finding-1 [data-go="1"]').click();
    expect(await shown(page)).toEqual([before]);
    await page.keyboard.press('j');
    expect(await shown(page)).toEqual([last]);
    await page.goBack();
    expect(await shown(page)).toEqual([before]);
    await page.goForward();
    expect(await shown(page)).toEqual([last]);
    await page.locator('#finding-1 .program a').first().click();
    expect(await shown(page)).toEqual(['finding-1/create']);
    await expect(page.locator('#finding-1 [data-go="-1"]').isDisabled()).resolves.toBe(true);
  });

  test('each moment has a link of its own', async () => {
    expect(await shown(await open('#step-3'))).toEqual(['finding-1/step-3']);
    const page = await open('#finding-2/step-0');
    expect(await shown(page)).toContain('finding-2/step-0');
    await page.keyboard.press('ArrowRight');
    expect(await shown(page)).toContain('finding-2/step-1');
  });

  test.each(WINDOWS)('a link to a step shows its heading below the bars: $width', async (viewport) => {
    const page = await open('#finding-2/step-1', { viewport });
    const at = (selector: string): Promise<{ top: number; bottom: number }> =>
      page
        .locator(selector)
        .evaluate((element) => (({ top, bottom }) => ({ top, bottom }))(element.getBoundingClientRect()));
    const heading = await at('#finding-2 .frame:not([hidden]) .step-title');
    const bar = await at('#finding-2 .toolbar');
    expect(heading.top).toBeGreaterThanOrEqual(bar.bottom);
    expect(heading.bottom).toBeLessThan(viewport.height);
  });

  test('the keys step the finding that is on the screen', async () => {
    const page = await open('#finding-1/step-1');
    await page.evaluate(`document.getElementById('finding-2').open = true`);
    await page.evaluate(`document.querySelector('#finding-2 .toolbar').scrollIntoView()`);
    await page.keyboard.press('ArrowLeft');
    expect(new URL(await addressOf(page)).hash).toMatch(/^#finding-2\//);
  });

  test('follows an address through the levels, from step to step', async () => {
    const page = await open();
    const walk = page.locator('#finding-1 .walk');
    await page.locator('#finding-1 .frame:visible .follow').first().click();
    await expect(walk.locator('h4').textContent()).resolves.toMatch(/^0x[0-9a-f]+ after /);
    await expect(walk.textContent()).resolves.toContain('slot ');
    const title = await walk.locator('h4').textContent();
    await page.locator('body').press('ArrowLeft');
    expect(await walk.locator('h4').textContent()).not.toBe(title);
    const input = page.locator('#finding-1 input');
    await input.fill('0xc0000123');
    await input.press('Enter');
    await expect(walk.locator('dt').first().textContent()).resolves.toMatch(/^PGD\[\d+\] at 0x|^0xc0000123$/);
    await input.fill('nonsense');
    await input.press('Enter');
    await expect(walk.textContent()).resolves.toContain('is not a 32-bit address');
    await input.press('ArrowLeft');
    await expect(walk.isVisible()).resolves.toBe(true);
  });

  test('decodes what is pointed at or has the focus', async () => {
    const page = await open();
    const hint = page.locator('#hint');
    await page.locator('#finding-1 .frame:visible .entry').first().focus();
    await expect(hint.textContent()).resolves.toMatch(/\n/);
    await page.waitForTimeout(100);
    await expect(hint.isVisible()).resolves.toBe(true);
    await page.keyboard.press('Escape');
    await expect(hint.isVisible()).resolves.toBe(false);
    await page.locator('.situations td.unreachable button:visible').first().hover();
    await expect(hint.textContent()).resolves.toContain('keeps the contract');
  });

  test.each(WINDOWS.flatMap((viewport) => SCHEMES.map((colorScheme) => ({ viewport, colorScheme }))))(
    'fits and is accessible: $viewport.width, $colorScheme',
    async ({ viewport, colorScheme }) => {
      const page = await open('', { viewport, colorScheme, bypassCSP: true });
      expect(await tooWide(page)).toEqual([]);
      const picture = await page.screenshot();
      expect(picture.length).toBeGreaterThan(10_000);
      const kept = process.env['SCREENSHOTS'];
      if (kept !== undefined) await writeFile(join(kept, `report-${viewport.width}-${colorScheme}.png`), picture);
      await page.locator('#finding-1 .frame:visible .follow').first().click();
      await page.evaluate(`for (const each of document.querySelectorAll('details')) each.open = true`);
      expect(await tooWide(page)).toEqual([]);
      // Both sizes and both schemes once: looking through the page takes seconds.
      if ((viewport.width === 390) !== (colorScheme === 'dark')) return;
      expect(await violations(page)).toEqual([]);
    },
  );

  test('runs no script but its own, and loads nothing, even if markup came into it', async () => {
    const file = join(directory, 'report.html');
    const intact = await readFile(file, 'utf8');
    const markup = '<script>document.title = "broken"</script><img src="data:," onerror="document.title = 1">';
    await writeFile(file, intact.replace('<main>', `<main>${markup}`));
    const page = await open();
    await expect(page.title()).resolves.toBe('What shadowdiff found');
    await expect(page.locator('.finding h3').count()).resolves.toBeGreaterThan(0);
    // The script, the picture, and the handler that stood for it.
    const refusal = expect.stringContaining('Content Security Policy') as string;
    expect(browser.troubles.splice(0)).toEqual([refusal, refusal, refusal]);
    await writeFile(file, intact);
  });

  test('is not broken by hostile text', async () => {
    const run = join(directory, 'run');
    const evil = '</script><script>document.title = "broken"</script><img src=x onerror=alert(1)> " \' <!--';
    for (const name of await readdir(join(run, 'findings'))) {
      const path = join(run, 'findings', name);
      const entry = JSON.parse(await readFile(path, 'utf8')) as { invariant: string; stage: string };
      const signature = `${entry.invariant} | ${entry.stage} | ${evil}`;
      await writeFile(path, JSON.stringify({ ...entry, difference: evil, actual: evil, note: evil, signature }));
    }
    await rm(join(run, 'summary.json'));
    url = await reportOf(run);
    const page = await open();
    await expect(page.title()).resolves.toBe('What shadowdiff found');
    await expect(page.locator('.finding h3').last().textContent()).resolves.toContain(evil);
    await page.keyboard.press('ArrowLeft');
    expect(new URL(await addressOf(page)).hash).toMatch(/^#finding-1\//);
  });
});
