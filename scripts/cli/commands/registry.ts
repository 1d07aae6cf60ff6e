/**
 * Every command, in the order of the help. A new one is a file and a line. A command's file is loaded only when it is called,
 * because all of them together take several times as long to load as Node.js takes to start.
 */

import type { Command } from 'commander';
import type { Session } from '../../terminal/session.js';

/** Adds a command to the program. */
export type Register = (program: Command, session: Session) => void;

export interface ListedCommand {
  readonly name: string;
  /** What `shadowdiff --help` says of it; the command's own help says more. */
  readonly summary: string;
  readonly load: () => Promise<Register>;
}

const listed = (name: string, summary: string, load: () => Promise<Register>): ListedCommand => ({
  name,
  summary,
  load,
});

export const COMMANDS: readonly ListedCommand[] = [
  listed('fuzz', 'look for divergences with random programs', async () => (await import('./fuzz.js')).registerFuzz),
  listed('nightly', 'run a whole campaign, as every night', async () => (await import('./nightly.js')).registerNightly),
  listed(
    'merge',
    'combine the shards of a campaign into one run',
    async () => (await import('./merge.js')).registerMerge,
  ),
  listed('exhaust', 'visit every state of a small machine', async () => (await import('./exhaust.js')).registerExhaust),
  listed('replay', 'list what both sides do at every step', async () => (await import('./replay.js')).registerReplay),
  listed(
    'explain',
    'explain why a finding is wrong, step by step',
    async () => (await import('./explain.js')).registerExplain,
  ),
  listed('shrink', 'make a program that diverges smaller', async () => (await import('./shrink.js')).registerShrink),
  listed('regress', 'replay the corpus', async () => (await import('./regress.js')).registerRegress),
  listed(
    'bisect',
    'find the commit that introduced a divergence',
    async () => (await import('./bisect.js')).registerBisect,
  ),
  listed(
    'corpus',
    'list, add and prune stored counterexamples',
    async () => (await import('./corpus.js')).registerCorpus,
  ),
  listed('known', 'edit the file of known findings', async () => (await import('./known.js')).registerKnown),
  listed('play', 'make a page to change programs in', async () => (await import('./play.js')).registerPlay),
  listed('report', 'make one report from any number of runs', async () => (await import('./report.js')).registerReport),
  listed('trend', 'make a page over many nights', async () => (await import('./trend.js')).registerTrend),
  listed(
    'coverage',
    'measure what a run checks and reaches',
    async () => (await import('./coverage.js')).registerCoverage,
  ),
  listed('trace', 'answer programs by the subject protocol', async () => (await import('./trace.js')).registerTrace),
  listed('seeds', 'list the seeds and programs of a campaign', async () => (await import('./seeds.js')).registerSeeds),
  listed(
    'invariants',
    'list what is checked, and where each rule comes from',
    async () => (await import('./invariants.js')).registerInvariants,
  ),
  listed(
    'defects',
    'list the planted bugs, and measure what catches them',
    async () => (await import('./defects.js')).registerDefects,
  ),
  listed(
    'completion',
    'print a script that completes command lines in a shell',
    async () => (await import('./completion.js')).registerCompletion,
  ),
];
