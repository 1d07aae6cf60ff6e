import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { programHash } from '../../../properties/formats/index.js';
import type { Reaching } from '../../../properties/pool/distil.js';
import { countReached, distil, reachingOf } from '../../../properties/pool/distil.js';
import type { StoredProgram } from '../../../properties/pool/program-pool.js';
import { DEFAULT_POOL_SIZE, LARGEST_POOL_SIZE, readPrograms } from '../../../properties/pool/program-pool.js';
import type { Subject } from '../../../properties/subjects/subject.js';
import { wholeNumber } from '../options/option-values.js';
import { counted } from '../../terminal/numbers.js';
import { printable } from '../../terminal/printable.js';
import { DEFAULT_CASE_TIMEOUT, subjectOf } from '../../terminal/sides.js';
import type { Session } from '../../terminal/session.js';

interface ProgramsFlags {
  readonly corpus: string;
  readonly mostPrograms: number;
  readonly subject?: string;
  readonly prune?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `withCorpus` adds the option that names the corpus. */
export const addPrograms = (command: Command, withCorpus: (command: Command) => Command, session: Session): void => {
  withCorpus(
    command.command('programs').description('List the programs that nightly --guided starts from, and what each adds.'),
  )
    .option(
      '--subject <name>',
      'count edges of the code of this subject too; give it with --prune if programs are kept for them',
    )
    .option(
      '--prune',
      'remove programs that reach nothing that the others do not, for example after generators changed',
    )
    .option(
      '--most-programs <count>',
      'with --prune: keep at most this many',
      wholeNumber(0, LARGEST_POOL_SIZE),
      DEFAULT_POOL_SIZE,
    )
    .option('--dry-run', 'with --prune: print what would be removed')
    .option('--json', 'print one JSON object per line')
    .action(async (flags: ProgramsFlags) => {
      const stored = await readPrograms(flags.corpus);
      const reaching = await reachingOf(
        stored.map(({ program }) => program),
        countingSubject(flags, session),
      );
      if (flags.prune === true) await prune(stored, reaching, flags, session);
      else await list(stored, reaching, flags, session);
    });
};

const countingSubject = ({ subject }: ProgramsFlags, session: Session): Subject | undefined =>
  subject === undefined
    ? undefined
    : subjectOf(session, subject, '--subject', { caseTimeout: DEFAULT_CASE_TIMEOUT, allowed: [subject] });

const list = async (
  stored: readonly StoredProgram[],
  reaching: readonly Reaching[],
  { json }: ProgramsFlags,
  session: Session,
): Promise<void> => {
  const reachedBy = new Map<number, number>();
  for (const { cells } of reaching) for (const cell of cells) reachedBy.set(cell, (reachedBy.get(cell) ?? 0) + 1);
  for (const [index, { path, program }] of stored.entries()) {
    const { cells } = reaching[index];
    const alone = cells.filter((cell) => reachedBy.get(cell) === 1).length;
    const steps = program.steps.length;
    const { situations, edges } = countReached([reaching[index]]);
    const line = `${printable(path)}\n  ${counted(steps, 'step')}, ${reachText(reaching[index])}, ${alone} of them by no other`;
    const counts = { path, steps, situations, ...(edges === 0 ? {} : { edges }), alone };
    await session.stream(json === true ? JSON.stringify(counts) : line);
  }
  if (json !== true) session.print(totalOf(reaching));
};

const prune = async (
  stored: readonly StoredProgram[],
  reaching: readonly Reaching[],
  { mostPrograms, dryRun }: ProgramsFlags,
  session: Session,
): Promise<void> => {
  const kept = distil(reaching, { settled: [], most: mostPrograms });
  const names = new Set(kept.map(({ program }) => programHash(program)));
  for (const { path, program } of stored) {
    if (names.has(programHash(program))) continue;
    if (dryRun !== true) await rm(path);
    session.print(printable(`${dryRun === true ? 'would remove' : 'removed'} ${path}`));
  }
  session.print(totalOf(kept));
};

const totalOf = (reaching: readonly Reaching[]): string =>
  `${counted(reaching.length, 'program')}, ${reachText(...reaching)} reached`;

const reachText = (...reaching: readonly Reaching[]): string => {
  const { situations, edges } = countReached(reaching);
  return edges === 0
    ? counted(situations, 'situation')
    : `${counted(situations, 'situation')} and ${counted(edges, 'edge')}`;
};
