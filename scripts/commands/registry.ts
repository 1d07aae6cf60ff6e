/** Every command, in the order of the help. A new one is a file and a line. */

import type { Command } from 'commander';
import type { Session } from '../session.js';
import { registerDefects } from './defects.js';
import { registerFuzz } from './fuzz.js';
import { registerInvariants } from './invariants.js';
import { registerKnown } from './known.js';
import { registerRegress } from './regress.js';
import { registerReplay } from './replay.js';
import { registerSeeds } from './seeds.js';
import { registerShrink } from './shrink.js';
import { registerTrace } from './trace.js';

/** Adds a command to the program. */
export type Register = (program: Command, session: Session) => void;

export const COMMANDS: readonly Register[] = [
  registerFuzz,
  registerReplay,
  registerShrink,
  registerRegress,
  registerKnown,
  registerTrace,
  registerSeeds,
  registerInvariants,
  registerDefects,
];
