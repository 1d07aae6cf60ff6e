import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { programHash } from '../../../properties/formats/index.js';
import type { Reaching } from '../../../properties/pool/distil.js';
import { allCells, distil, reachingOf } from '../../../properties/pool/distil.js';
import type { StoredSeed } from '../../../properties/pool/seed-files.js';
import { DEFAULT_MOST_SEEDS, readSeeds } from '../../../properties/pool/seed-files.js';
import { wholeNumber } from '../options/whole-number.js';
import { counted } from '../../terminal/numbers.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';

const MOST_SEEDS = 10_000;

interface SeedsFlags {
  readonly corpus: string;
  readonly mostSeeds: number;
  readonly prune?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `withCorpus`: adds the option that says which corpus. */
export const addSeeds = (command: Command, withCorpus: (command: Command) => Command, session: Session): void => {
  withCorpus(command.command('seeds').description('Programs that nightly --guided starts from, and what each adds.'))
    .option('--prune', 'remove those without which the others reach the same, as after a change of generators')
    .option('--most-seeds <count>', 'keep at most so many', wholeNumber(0, MOST_SEEDS), DEFAULT_MOST_SEEDS)
    .option('--dry-run', 'with --prune: only tell')
    .option('--json', 'a JSON object a line')
    .action(async (flags: SeedsFlags) => {
      const stored = await readSeeds(flags.corpus);
      const reaching = await reachingOf(stored.map(({ program }) => program));
      if (flags.prune === true) await prune(stored, reaching, flags, session);
      else await list(stored, reaching, flags, session);
    });
};

/** A situation that no other seed reaches is lost with the seed. */
const list = async (
  stored: readonly StoredSeed[],
  reaching: readonly Reaching[],
  { json }: SeedsFlags,
  session: Session,
): Promise<void> => {
  const seeds = new Map<number, number>();
  for (const { cells } of reaching) for (const cell of cells) seeds.set(cell, (seeds.get(cell) ?? 0) + 1);
  for (const [index, { path, program }] of stored.entries()) {
    const { cells } = reaching[index];
    const alone = cells.filter((cell) => seeds.get(cell) === 1).length;
    const steps = program.steps.length;
    const line = `${printable(path)}\n  ${counted(steps, 'step')}, ${counted(cells.length, 'situation')}, ${alone} of them by no other`;
    await session.stream(json === true ? JSON.stringify({ path, steps, situations: cells.length, alone }) : line);
  }
  if (json !== true) session.print(totalOf(reaching));
};

const prune = async (
  stored: readonly StoredSeed[],
  reaching: readonly Reaching[],
  { mostSeeds, dryRun }: SeedsFlags,
  session: Session,
): Promise<void> => {
  const kept = distil(reaching, { settled: [], most: mostSeeds });
  const names = new Set(kept.map(({ program }) => programHash(program)));
  for (const { path, program } of stored) {
    if (names.has(programHash(program))) continue;
    if (dryRun !== true) await rm(path);
    session.print(printable(`${dryRun === true ? 'would remove' : 'removed'} ${path}`));
  }
  session.print(totalOf(kept));
};

const totalOf = (reaching: readonly Reaching[]): string =>
  `${counted(reaching.length, 'seed')} reach ${counted(allCells(reaching).size, 'situation')}`;
