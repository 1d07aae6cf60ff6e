/** The page to play in, in a real browser. Set `SCREENSHOTS` to a directory to keep pictures in. */

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { OBSERVABLES } from '../../../model/vocabulary/index.js';
import { readCorpus, isReadable } from '../../../properties/corpus/store.js';
import { formatListing, formatProgram, formatTrace, parseListing } from '../../../properties/formats/index.js';
import { fileNameOf, parseCounterexample } from '../../../properties/corpus/counterexample.js';
import { ownMachine } from '../../../properties/subjects/own-machines.js';
import { traceOf } from '../../../properties/trace-of.js';
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
import type { Ran, Request } from './player.js';
import { setupOf } from './play-page.js';
import { encodeSetup } from './setup.js';

testBrowserIsThere();

const LARGEST_PAGE = 1.5 * 2 ** 20;

/** On which model and impl agree, until a defect is planted. */
const SWITCH_BACK = `PAE, 1 guest page, 0 device pages, 1 host CPU, draw 0
init        kernel 0xc0000000
new-pgtable root 0x0 draw 1
new-pgtable root 0x1000 draw 0
migrate     cpu 0
set-pgd     root 0x0 index 3
new-pgtable root 0x0 draw 0`;

describe.skipIf(!isBrowserThere)('the page to play in', () => {
  const shadowdiff = (words: readonly string[], input = ''): string =>
    execFileSync(process.execPath, [join(inject('clone'), 'scripts/start.js'), ...words], {
      encoding: 'utf8',
      input,
      maxBuffer: 2 ** 28,
    });
  let directory: string;
  let url: string;
  let reportUrl: string;
  const browser = new WatchedBrowser((asked) => /^(file|blob):/.test(asked));

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'play-page-'));
    const file = join(directory, 'play.html');
    shadowdiff(['play', '--out', file]);
    url = pathToFileURL(file).href;
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  const open = async (fragment = '', options: BrowserContextOptions = {}): Promise<Page> => {
    const page = await browser.newPage(await browser.contextFor(options));
    await page.goto(url + fragment);
    await page.locator('#run').waitFor();
    return page;
  };

  const verdict = (page: Page) => page.locator('#run h3');

  /** Waits for a run that says this. */
  const untilVerdict = (page: Page, text: string): Promise<void> =>
    page.locator('#result:not(.old) #run h3', { hasText: text }).waitFor();

  test('is one file that is not too large', async () => {
    const { size } = await stat(join(directory, 'play.html'));
    expect(size).toBeLessThan(LARGEST_PAGE);
  });

  test('its machines give the traces of the command, for every program of the corpus', async () => {
    const corpus = (await readCorpus('corpus')).filter(isReadable);
    const programs = corpus.map((entry) => entry.case.program);
    const ofModel = shadowdiff(['trace', '--subject', 'model'], programs.map(formatProgram).join('\n'));
    const expected = corpus.map(({ subject, case: { program } }, index) => ({
      reference: ofModel.split('\n')[index],
      subject: formatTrace(traceOf(ownMachine(subject, 'the corpus')!.create(), program), COMPARED),
    }));
    const codes = await Promise.all(corpus.map((entry) => encodeSetup(setupOf(entry))));
    const page = await open();
    const answers = await page.evaluate(askAll, codes);
    expect(answers.map(({ traces }) => traces.reference)).toEqual(expected.map(({ reference }) => reference));
    expect(answers.map(({ text }) => text)).toEqual(programs.map(formatListing));
    // What that bug does depends on what its machine did before.
    const isSteady = (_: unknown, index: number): boolean => corpus[index].divergence.invariant !== 'determinism';
    expect(answers.filter(isSteady).map(({ traces }) => traces)).toEqual(expected.filter(isSteady));
    expect(answers.filter(isSteady).map(({ file }) => file)).toEqual(
      corpus.filter(isSteady).map(({ file }) => basename(file)),
    );
  });

  test('runs what is typed, names what it cannot read, and goes back', async () => {
    const page = await open();
    const first = await verdict(page).textContent();
    const text = page.locator('#text');
    await text.fill(SWITCH_BACK);
    await page.locator('#subject').selectOption('impl');
    await untilVerdict(page, 'Both sides agree');
    expect(await page.locator('#run .frame').count()).toBe(8);
    const agreeing = await addressOf(page);
    await text.fill(SWITCH_BACK.replace('index 3', 'index three'));
    await page.locator('#problem').getByText('line 6, index: "three" is not a whole number').waitFor();
    expect(await addressOf(page)).toBe(agreeing);
    await page.getByRole('button', { name: 'Go to line 6' }).click();
    expect(await page.evaluate('getSelection().toString()')).toContain('set-pgd');
    await text.fill(SWITCH_BACK.replace('index 3', 'index 9'));
    await page.locator('#result:not(.old)').waitFor();
    await page.locator('#run .program', { hasText: 'the guest is killed' }).waitFor();
    await page.goBack();
    await expect.poll(() => text.inputValue()).toBe(SWITCH_BACK);
    await untilVerdict(page, 'Both sides agree');
    while ((await addressOf(page)).includes('#') && (await verdict(page).textContent()) !== first) {
      await page.goBack();
      await page.locator('#result:not(.old)').waitFor();
      await page.waitForTimeout(100);
    }
    expect(await verdict(page).textContent()).toBe(first);
  });

  test('an entry is changed by its word or by its words', async () => {
    const page = await open();
    const text = page.locator('#text');
    const machine = SWITCH_BACK.split('\n')[0].replace('1 guest page', '8 guest pages');
    await text.fill(`${machine}\nstore [0x1000] = 0x2065   pfn 2 P RW US A D`);
    await page.locator('#remarks', { hasText: '0x2065 counts, which is "pfn 2 P US A D"' }).waitFor();
    await text.blur();
    expect(await text.inputValue()).toContain('[0x1000] = 0x2065   pfn 2 P US A D');
    await text.fill(`${machine}\nstore [0x1000] = pfn 3 P RW`);
    await page.locator('#run .program', { hasText: '= 0x3003' }).waitFor();
    expect(await page.locator('#remarks').isVisible()).toBe(false);
  });

  test('plants a bug, says why it is wrong, drops a step, shrinks, and sends a link', async () => {
    const page = await open();
    await page.locator('#text').fill(SWITCH_BACK);
    await page.locator('#subject').selectOption('impl:set-pgd-loses-switcher');
    await untilVerdict(page, 'Diverges: switcher | new-pgtable');
    await expect(page.locator('.why').textContent()).resolves.toContain('Switcher');
    await expect(page.locator('#about').textContent()).resolves.toMatch(/lguest/);
    await page.locator('#run .program a', { hasText: 'migrate' }).click();
    await page.locator('#drop', { hasText: 'Drop step 3' }).click();
    await page.locator('#run .tag', { hasText: '5 steps' }).waitFor();
    expect(await page.locator('#text').inputValue()).not.toContain('migrate');
    await page.goBack();
    await page.locator('#run .tag', { hasText: '6 steps' }).waitFor();
    await page.locator('#shrink').click();
    await page.locator('#status', { hasText: /Shrunk to \d steps/ }).waitFor();
    const small = await page.locator('#text').inputValue();
    expect(small.split('\n').length).toBeLessThan(SWITCH_BACK.split('\n').length);
    const link = await page.locator('#link').inputValue();
    const other = await open(link.slice(link.indexOf('#')));
    expect(await other.locator('#text').inputValue()).toBe(small);
    const stored = parseCounterexample(await other.locator('#json').inputValue(), 'x');
    expect(stored.case.program).toEqual(parseListing(small, 'x').program);
    const [name] = /[\w-]+\.json$/.exec((await other.locator('#file').textContent())!)!;
    expect(name).toBe(fileNameOf(stored));
  });

  test('shrinking can be cancelled, and shows how far it is', async () => {
    const corpus = (await readCorpus('corpus')).filter(isReadable);
    // It needs all of its hundreds of steps.
    const [longest] = corpus.toSorted((one, other) => other.case.program.steps.length - one.case.program.steps.length);
    const page = await open(`#?${await encodeSetup(setupOf(longest))}`);
    const text = await page.locator('#text').inputValue();
    await page.locator('#shrink').click();
    await page.locator('#status', { hasText: /Shrinking: \d+ programs tried, \d+ steps left/ }).waitFor();
    await page.locator('#cancel').click();
    await expect(page.locator('#status').textContent()).resolves.toBe('Cancelled');
    expect(await page.locator('#text').inputValue()).toBe(text);
  });

  test('is used by keyboard', async () => {
    const page = await open();
    const start = await addressOf(page);
    await page.locator('#gallery').focus();
    await page.keyboard.press('ArrowDown');
    // The address changes together with the result.
    await expect.poll(() => addressOf(page)).not.toBe(start);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('text');
    await page.keyboard.press('ArrowLeft');
    await page.locator('#run .program a').first().focus();
    const last = await page.locator('.frame:visible').getAttribute('aria-label');
    await page.keyboard.press('ArrowLeft');
    expect(await page.locator('.frame:visible').getAttribute('aria-label')).not.toBe(last);
    expect(await addressOf(page)).toMatch(/#run\/[\w-]+\?/);
  });

  test.each(WINDOWS.flatMap((viewport) => SCHEMES.map((colorScheme) => ({ viewport, colorScheme }))))(
    'fits and is accessible: $viewport.width, $colorScheme',
    async ({ viewport, colorScheme }) => {
      const page = await open('', { viewport, colorScheme, bypassCSP: true });
      await page.locator('#text').fill(`${await page.locator('#text').inputValue()}\nnonsense`);
      await page.locator('#problem button').waitFor();
      await page.evaluate(`for (const each of document.querySelectorAll('details')) each.open = true`);
      expect(await tooWide(page)).toEqual([]);
      const kept = process.env['SCREENSHOTS'];
      if (kept !== undefined)
        await page.screenshot({ path: join(kept, `play-${viewport.width}-${colorScheme}.png`), fullPage: true });
      // Both sizes and both schemes once: looking through the page takes seconds.
      if ((viewport.width === 390) !== (colorScheme === 'dark')) return;
      expect(await violations(page)).toEqual([]);
    },
  );

  test('begins with a file, whose text is only data', async () => {
    const evil = '</script><script>document.title = "broken"</script><img src=x onerror=alert(1)><!--';
    const entry = JSON.parse(await readFile('corpus/translation--access--13e9f7a5.json', 'utf8')) as object;
    await writeFile(join(directory, 'evil.json'), JSON.stringify({ ...entry, subject: `exec:${evil}`, note: evil }));
    shadowdiff(['play', join(directory, 'evil.json'), '--out', join(directory, 'evil.html')]);
    const page = await browser.newPage(await browser.contextFor());
    await page.goto(pathToFileURL(join(directory, 'evil.html')).href);
    await page.locator('#run').waitFor();
    await expect(page.locator('#remarks').textContent()).resolves.toContain(`impl stands in for exec:${evil}`);
    await expect(page.title()).resolves.toBe('A shadow page table to play with');
  });

  test('a report opens it with the program of a finding', async () => {
    const run = join(directory, 'run');
    const words = [
      '--subject',
      'impl:set-pgd-loses-switcher',
      '--seed',
      'findings',
      '--max-findings',
      '1',
      '--jobs',
      '1',
    ];
    expect(() => shadowdiff(['fuzz', ...words, '--out', run, '--corpus', join(directory, 'new')])).toThrow('finding');
    shadowdiff(['report', run, '--out', join(directory, 'report.html')]);
    reportUrl = pathToFileURL(join(directory, 'report.html')).href;
    const context = await browser.contextFor();
    const report = await browser.newPage(context);
    await report.goto(reportUrl);
    const opened = context.waitForEvent('page');
    await report.getByRole('link', { name: 'Change it and see' }).first().click();
    const page = browser.watched(await opened);
    await page.locator('#run').waitFor();
    expect(await verdict(page).textContent()).toBe(
      `Diverges: ${(await report.locator('#finding-1 h3').textContent())!.replace('Finding 1: ', '')}`,
    );
    await page.locator('#subject').selectOption('impl');
    await untilVerdict(page, 'Both sides agree');
    await page.goBack();
    await untilVerdict(page, 'Diverges: switcher');
  });
});

const COMPARED = OBSERVABLES.filter((each) => each !== 'shadow');

/** In the page: asks a worker of its own, as the page does. */
const askAll = async (codes: readonly string[]): Promise<readonly Ran[]> => {
  interface Worker {
    postMessage(request: Request): void;
    addEventListener(type: 'message', listener: (event: { readonly data: Ran }) => void, options: object): void;
  }
  const page = globalThis as unknown as {
    readonly document: { readonly scripts: Iterable<{ readonly type: string; readonly text: string }> };
    readonly Worker: new (url: string) => Worker;
  };
  const script = [...page.document.scripts].findLast(({ type }) => type === 'module')!;
  const worker = new page.Worker(URL.createObjectURL(new Blob([script.text])));
  const answers: Ran[] = [];
  for (const code of codes) {
    const answered = new Promise<Ran>((resolve) => {
      worker.addEventListener('message', ({ data }) => resolve(data), { once: true });
    });
    worker.postMessage({ action: 'run', source: { code }, date: '', version: '' });
    answers.push(await answered);
  }
  return answers;
};
