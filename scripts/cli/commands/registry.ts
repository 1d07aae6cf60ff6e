/**
 * Every command, in the order of the help. A new one is a file and a line. A command's file is loaded only when it is called,
 * because all of them together take several times as long to load as Node.js takes to start.
 */

import type { Command } from 'commander';
import type { Session } from '../../terminal/session.js';

export interface ListedCommand {
  readonly name: string;
  /** What `shadowdiff --help` says of it; the command's own help says more. */
  readonly summary: string;
  /** Its file; `register` adds it to the program. */
  readonly load: () => Promise<{ readonly register: (program: Command, session: Session) => void }>;
}

export const COMMANDS: readonly ListedCommand[] = [
  { name: 'fuzz', summary: 'look for divergences with random programs', load: () => import('./fuzz.js') },
  { name: 'nightly', summary: 'run a whole campaign, as every night', load: () => import('./nightly.js') },
  { name: 'merge', summary: 'combine the shards of a campaign into one run', load: () => import('./merge.js') },
  { name: 'exhaust', summary: 'visit every state of a small machine', load: () => import('./exhaust.js') },
  { name: 'replay', summary: 'list what both sides do at every step', load: () => import('./replay.js') },
  { name: 'explain', summary: 'explain why a finding is wrong, step by step', load: () => import('./explain.js') },
  { name: 'shrink', summary: 'make a program that diverges smaller', load: () => import('./shrink.js') },
  { name: 'regress', summary: 'replay the corpus', load: () => import('./regress.js') },
  { name: 'bisect', summary: 'find the commit that introduced a divergence', load: () => import('./bisect.js') },
  { name: 'corpus', summary: 'list, add and prune stored counterexamples', load: () => import('./corpus.js') },
  { name: 'known', summary: 'edit the file of known findings', load: () => import('./known.js') },
  { name: 'play', summary: 'make a page to change programs in', load: () => import('./play.js') },
  { name: 'report', summary: 'make one report from any number of runs', load: () => import('./report.js') },
  { name: 'trend', summary: 'make a page over many nights', load: () => import('./trend.js') },
  { name: 'coverage', summary: 'measure what a run checks and reaches', load: () => import('./coverage.js') },
  { name: 'trace', summary: 'answer programs by the subject protocol', load: () => import('./trace.js') },
  { name: 'seeds', summary: 'list the seeds and programs of a campaign', load: () => import('./seeds.js') },
  {
    name: 'invariants',
    summary: 'list what is checked, and where each rule comes from',
    load: () => import('./invariants.js'),
  },
  {
    name: 'defects',
    summary: 'list the planted bugs, and measure what catches them',
    load: () => import('./defects.js'),
  },
  {
    name: 'completion',
    summary: 'print a script that completes command lines in a shell',
    load: () => import('./completion.js'),
  },
];
