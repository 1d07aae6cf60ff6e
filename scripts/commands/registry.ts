/** Every command, in the order of the help. A new one is a file and a line. */

import type { Command } from 'commander';
import type { Session } from '../session.js';
import { registerCoverage } from './coverage.js';
import { registerDefects } from './defects.js';
import { registerExplain } from './explain.js';
import { registerExhaust } from './exhaust.js';
import { registerFuzz } from './fuzz.js';
import { registerInvariants } from './invariants.js';
import { registerMerge } from './merge.js';
import { registerNightly } from './nightly.js';
import { registerRegress } from './regress.js';
import { registerReplay } from './replay.js';
import { registerReport } from './report.js';
import { registerSeeds } from './seeds.js';
import { registerShrink } from './shrink.js';
import { registerTrace } from './trace.js';

/** Adds a command to the program. */
export type Register = (program: Command, session: Session) => void;

export const COMMANDS: readonly Register[] = [
  registerFuzz,
  registerExhaust,
  registerNightly,
  registerMerge,
  registerReplay,
  registerExplain,
  registerShrink,
  registerRegress,
  registerReport,
  registerTrace,
  registerSeeds,
  registerInvariants,
  registerCoverage,
  registerDefects,
];
