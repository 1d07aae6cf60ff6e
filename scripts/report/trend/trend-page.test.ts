/** The page over many nights in a real browser. Set `SCREENSHOTS` to a directory to keep pictures in. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  SCHEMES,
  WINDOWS,
  WatchedBrowser,
  isBrowserThere,
  testBrowserIsThere,
  tooWide,
  violations,
} from '../../../test-support/browser.js';
import { sampleNightFinding, sampleHistory, sampleNight } from '../../../test-support/sample-nights.js';
import type { Night, NightFinding } from './night.js';
import { trendPage } from './trend-page.js';
import { trendOf } from './trend.js';

testBrowserIsThere();

const pageOf = async (nights: readonly Night[]): Promise<string> => {
  const found = nights.map((night) => ({ night, report: `${night.directory}/report.html` }));
  return (await trendPage(trendOf(found, new Date('2026-11-30T12:00:00Z')))).text;
};

test('the same nights make the same page, in whatever order', async () => {
  expect(await pageOf(sampleHistory().toReversed())).toBe(await pageOf(sampleHistory()));
});

test('the chance of a new situation is 1 in so many programs, on the axis too', async () => {
  const text = await pageOf([sampleNight(1, { judged: 10_000 })]);
  // Two situations that one of ten thousand programs reached: 1 in 5,000.
  expect(text).toContain('1 in 5,000');
  expect(text).toMatch(/>\s*none\s*<\/text>.*>\s*5\.0k\s*<\/text>/s);
});

test('a night with a wrong date stretches no plot, and stands in the table', async () => {
  const text = await pageOf([sampleNight(20), sampleNight(21, { started: '2036-01-01T01:00:00.000Z' })]);
  const plots = text.match(/<svg.*?<\/svg>/gs) ?? [];
  expect(plots.length).toBeGreaterThan(0);
  expect(plots.filter((each) => each.includes('2036'))).toEqual([]);
  expect(text).toContain('<span class="day">2036-01-01</span>');
  expect(await pageOf([sampleNight(21, { started: '2036-01-01T01:00:00.000Z' })])).not.toContain('<svg viewBox="0 0 ');
});

test('each night counts its findings by what they were then', async () => {
  const shown = (status: NightFinding['status']) => ({
    findings: [sampleNightFinding('flush | end | one', { status })],
  });
  const nights = [sampleNight(1, shown('new')), sampleNight(2, shown('flaky')), sampleNight(3, shown('new'))];
  const text = await pageOf(nights.map((night) => ({ ...night, canary: null })));
  const counts = Array.from(text.matchAll(/<td>(\d (?:new|open|flaky)[^<]*)<\/td>/g), ([, count]) => count);
  expect(counts).toEqual(['1 open', '1 flaky', '1 new']);
});

test('of very many nights only the last ones are drawn and listed', async () => {
  const started = (index: number): string => new Date(Date.UTC(2020, 0, 1) + index * 3_600_000).toISOString();
  const nights = Array.from({ length: 1200 }, (_, index) => sampleNight(1, { started: started(index) }));
  const text = await pageOf(nights);
  expect(text).toContain('200 older nights not shown.');
  expect(text.match(/<circle class="dot"/g)).toHaveLength(5 * 1000);
});

describe.skipIf(!isBrowserThere)('the page', () => {
  let directory: string;
  const browser = new WatchedBrowser((asked) => asked === url());

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'trend-page-'));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  const file = (): string => join(directory, 'trend.html');
  const url = (): string => pathToFileURL(file()).href;

  const open = async (nights: readonly Night[], options: BrowserContextOptions = {}): Promise<Page> => {
    await writeFile(file(), await pageOf(nights));
    const page = await browser.newPage(await browser.contextFor(options));
    await page.goto(url());
    return page;
  };

  test('begins with what is new and what the week did', async () => {
    const page = await open(sampleHistory());
    await expect(page.locator('.summary.divergence h2').innerText()).resolves.toMatch(
      /1 new finding, 1 still open, 1 flaky in the week to 2026-11-27\. 5 nights, 2 of them cut short, ran 480,977 programs\./,
    );
    const link = page.locator('.news a').first();
    await expect(link.getAttribute('href')).resolves.toBe('2026-11-26-night/report.html#finding-2');
    const news = await page.locator('.news').innerText();
    for (const text of ['2026-11-25 did not come to its end', 'no night from 2026-11-22 to 2026-11-23, 2 days'])
      expect(news).toContain(text);
    await expect(page.locator('.nights tr', { hasText: '2026-11-26' }).innerText()).resolves.toContain('1 new, 1 open');
    await expect(page.locator('.nights tr', { hasText: '2026-11-17' }).first().innerText()).resolves.toContain(
      '1 open, 1 fixed',
    );
    expect(news).toMatch(/caught in 4 of 5 nights, not impl:stale-tlb on 2026-11-24/);
  });

  test('draws a line for each version and piece without a gap, and a hollow dot for a night that was cut short', async () => {
    const page = await open(sampleHistory());
    const plot = page.locator('.plot').first();
    await expect(plot.locator('.curve').count()).resolves.toBe(3);
    await expect(plot.locator('.dot').count()).resolves.toBe(10);
    await expect(plot.locator('.dot.partial').count()).resolves.toBe(2);
    await expect(plot.getByText('0.2.0').count()).resolves.toBe(1);
    await expect(page.locator('.nights .gap').allInnerTexts()).resolves.toHaveLength(2);
    await expect(page.locator('.nights [scope=rowgroup]').allInnerTexts()).resolves.toEqual([
      'version 0.2.0',
      'version 0.1.0',
    ]);
  });

  test.each(WINDOWS.flatMap((viewport) => SCHEMES.map((colorScheme) => ({ viewport, colorScheme }))))(
    'fits and is accessible: $viewport.width, $colorScheme',
    async ({ viewport, colorScheme }) => {
      const page = await open(sampleHistory(), { viewport, colorScheme, bypassCSP: true });
      expect(await tooWide(page)).toEqual([]);
      const kept = process.env['SCREENSHOTS'];
      if (kept !== undefined)
        await page.screenshot({ path: join(kept, `trend-${viewport.width}-${colorScheme}.png`), fullPage: true });
      expect(await violations(page)).toEqual([]);
    },
  );

  test('a single clean night is a page, too', async () => {
    const page = await open([sampleNight(1)]);
    await expect(page.locator('.summary.clean h2').innerText()).resolves.toContain(
      'Nothing new in the week to 2026-11-01.',
    );
    expect(await tooWide(page)).toEqual([]);
  });

  test.each([
    ['one night', [0]],
    ['several in an hour', [0, 1, 40]],
    ['several in a day or two', [0, 300, 2000]],
  ])('of %s: no text below a plot covers another, or is there twice', async (_, minutes) => {
    const start = Date.parse('2026-11-01T01:00:00Z');
    const starts = minutes.map((minute) => new Date(start + minute * 60_000).toISOString());
    const page = await open(starts.map((started, index) => sampleNight(index + 1, { started })));
    const ticks = await page
      .locator('.plot')
      .first()
      .locator('svg > text[y="184"]')
      .evaluateAll((texts) =>
        texts.map((text) => {
          const { left, right } = text.getBoundingClientRect();
          return { left, right, text: text.textContent };
        }),
      );
    expect(ticks.length).toBeGreaterThan(0);
    expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
    ticks.slice(1).forEach(({ left }, index) => expect(left).toBeGreaterThan(ticks[index].right + 4));
  });

  test('what is known and excused is open, and makes no bad week', async () => {
    const findings = [sampleNightFinding('flush | end | one', { status: 'tolerated' })];
    const page = await open([sampleNight(1, { findings })]);
    await expect(page.locator('.summary.clean h2').innerText()).resolves.toContain('Nothing new, 1 still open in');
    await expect(page.locator('#findings td').first().innerText()).resolves.toBe('open, known');
  });

  test('is not broken by hostile text', async () => {
    const evil = '</title><script>document.title = "broken"</script><img src=x onerror=alert(1)> " \' <!--';
    const texts = { version: evil, seed: evil, subject: evil, doubt: evil };
    const finding = sampleNightFinding(evil, { namesake: evil, anchor: '"><script>' });
    const page = await open([sampleNight(1, { ...texts, findings: [finding], verdict: 'inconclusive' })]);
    await expect(page.title()).resolves.toBe('What the nights found');
    await expect(page.locator('#findings th[scope=row]').innerText()).resolves.toContain('<script>');
  });
});
