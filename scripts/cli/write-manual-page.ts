/** Writes the manual page of the package. A part of `npm run build`. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Session } from '../terminal/session.js';
import { packageDirectory } from '../own-package.js';
import { commandLine } from './main.js';
import { manualPage } from './manual-page.js';
import { processSurroundings } from './process-surroundings.js';

const program = await commandLine(() => true, new Session(processSurroundings()));
writeFileSync(join(packageDirectory(), 'dist/shadowdiff.1'), manualPage(program));
