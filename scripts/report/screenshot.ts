/**
 * Takes the README's pictures of the report: fuzzes impl with a planted bug and photographs the page, light and dark. Needs a build, and
 * Chromium at /usr/bin/chromium or at the path in `CHROMIUM`.
 */

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { packageDirectory } from '../own-package.js';

const FUZZ = ['fuzz', '--subject', 'impl:set-pgd-loses-switcher', '--seed', 'findings', '--programs', '64'];
const VIEWPORT = { width: 1200, height: 1080 };
/** Bytes. */
const LARGEST_PICTURE = 200_000;

const directory = await mkdtemp(join(tmpdir(), 'screenshot-'));
const shadowdiff = (words: readonly string[]): void => {
  const command = join(packageDirectory(), 'scripts/start.js');
  execFileSync(process.execPath, [command, ...words], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
};

/** Exit code 1 is a divergence, which is what the picture shows. */
const findTheBug = (): void => {
  try {
    shadowdiff([...FUZZ, '--out', 'run']);
  } catch (error) {
    if ((error as { readonly status?: number }).status !== 1) throw error;
  }
};

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-background-networking'],
});
try {
  findTheBug();
  shadowdiff(['report', 'run', '--out', 'report.html']);
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport: VIEWPORT, colorScheme });
    await page.goto(pathToFileURL(join(directory, 'report.html')).href);
    const path = join(packageDirectory(), `.github/report-${colorScheme}.png`);
    await page.screenshot({ path });
    const { size } = await stat(path);
    if (size > LARGEST_PICTURE) throw new Error(`${path}: ${size} bytes, more than ${LARGEST_PICTURE}`);
    console.log(`${path}: ${size} bytes`);
  }
} finally {
  await browser.close();
  await rm(directory, { recursive: true, force: true });
}
