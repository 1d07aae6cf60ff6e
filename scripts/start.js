#!/usr/bin/env node
/** The command `shadowdiff`. This file is not compiled, so that it can tell what to do when nothing is. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const command = new URL('../dist/scripts/shadowdiff.js', import.meta.url);

if (existsSync(command)) {
  await import(command.href);
} else {
  const directory = fileURLToPath(new URL('..', import.meta.url));
  console.error(
    `shadowdiff: dist/ is missing (npm ci --ignore-scripts does not build it); run "npm run build" in ${directory}`,
  );
  process.exitCode = 2;
}
