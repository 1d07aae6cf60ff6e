/** Finds the shortest program for every defect of the catalogue, lists them, and records them in the corpus on request. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Defect } from '../../../impl/defects/defect.js';
import { DEFECTS, defectNamed } from '../../../impl/defects/catalogue.js';
import { BadInput } from '../../../properties/formats/index.js';
import { keepsContract } from '../../../properties/contract.js';
import { fileNameOf } from '../../../properties/corpus/counterexample.js';
import { readCorpus, readableOf, saveFinding } from '../../../properties/corpus/store.js';
import { signatureOf } from '../../../properties/divergence.js';
import type { ShortestSearch } from '../../../properties/exhaust/exhaust.js';
import { searchShortest } from '../../../properties/exhaust/exhaust.js';
import type { Counterexample } from '../../../properties/exhaust/exploration.js';
import type { SmallMachineName } from '../../../properties/exhaust/small-machine.js';
import type { Finding, Shortest } from '../../../properties/finding.js';
import { MODEL, implWith } from '../../../properties/subjects/subject-names.js';
import { EventLoopYield } from '../../terminal/event-loop-yield.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { checkDirectory } from '../../terminal/result-directory.js';
import { ProgressDisplay, fitting } from '../../terminal/progress-display.js';
import { compactlyCounted, counted } from '../../terminal/numbers.js';
import type { Session } from '../../terminal/session.js';

export interface DefectsFlags {
  readonly machine: SmallMachineName;
  readonly maxStates: number;
  readonly defect?: readonly string[];
  readonly record?: true;
  readonly corpus: string;
}

/** Throws `BadInput` for an unknown defect or an unreadable corpus. */
export const shortestOfAll = async (flags: DefectsFlags, session: Session): Promise<ExitCode> => {
  const defects = flags.defect?.map(named) ?? DEFECTS;
  const kept = flags.record === true ? await entriesOf(flags.corpus) : [];
  let interrupted = false;
  const unsubscribe = session.surroundings.onInterrupt(() => (interrupted = true));
  try {
    for (const defect of defects) {
      const search = await searchWatched(flags, defect, () => interrupted, session);
      if (search.kind === 'stopped') return EXIT.interrupted;
      const entry = kept.find(({ subject }) => subject === subjectOf(defect));
      const recorded = entry === undefined ? undefined : await record(flags.corpus, entry, search);
      session.print(lineOf(defect, search, recorded));
    }
  } finally {
    unsubscribe();
  }
  return EXIT.clean;
};

const searchWatched = async (
  { machine, maxStates }: DefectsFlags,
  defect: Defect,
  interrupted: () => boolean,
  session: Session,
): Promise<ShortestSearch> => {
  const eventLoop = new EventLoopYield(session.surroundings.monotonic);
  let doing = '';
  const display = new ProgressDisplay(session, (columns) => fitting([defect.id, doing], columns));
  try {
    return await searchShortest({ machine, mostStates: maxStates }, implWith(subjectOf(defect), [defect]), MODEL, {
      mayContinue: async ({ paging, kernel }, { states, depth }) => {
        doing = `${paging}, kernel ${kernel}, depth ${depth}, ${compactlyCounted(states, 'state')}`;
        await eventLoop.pause();
        return !interrupted();
      },
    });
  } finally {
    display.end();
  }
};

const subjectOf = ({ id }: Defect): string => `impl:${id}`;

const named = (id: string): Defect => {
  const defect = defectNamed(id);
  if (defect !== undefined) return defect;
  throw new BadInput('--defect', `there is no defect ${JSON.stringify(id)}; "shadowdiff defects" lists them`);
};

const entriesOf = async (corpus: string): Promise<readonly Finding[]> => {
  await checkDirectory('--corpus', corpus);
  return (await readCorpus(corpus)).map(readableOf);
};

const ID_COLUMNS = Math.max(...DEFECTS.map(({ id }) => id.length)) + 2;

const lineOf = ({ id }: Defect, search: ShortestSearch, recorded: Recorded | undefined): string =>
  `${id.padEnd(ID_COLUMNS)}${searchText(search)}${recorded === undefined ? '' : `; ${recorded}`}`;

const searchText = (search: ShortestSearch): string => {
  switch (search.kind) {
    case 'found': {
      const { found, folding } = search;
      const sure = { names: ', up to names', nothing: '' };
      const doubt = folding === undefined || !found.shortest ? ', perhaps not the shortest' : sure[folding];
      return `${counted(found.program.steps.length, 'step')}${doubt}: ${signatureOf(found.divergence)}`;
    }
    case 'not-found':
      return `not in any program of at most ${counted(search.depth, 'step')}`;
    case 'stopped':
      return 'interrupted';
    default:
      return search satisfies never;
  }
};

// Recording in the corpus.

/** `kept`: the entry is shorter than any program of this small machine, or was shown to be shortest in another; or the search proved nothing. */
export type Recorded = 'noted' | 'replaced by a shorter one' | 'kept';

export const record = async (corpus: string, entry: Finding, search: ShortestSearch): Promise<Recorded> => {
  if (search.kind !== 'found' || search.folding === undefined || !search.found.shortest) return 'kept';
  const { found, folding } = search;
  const steps = found.program.steps.length;
  if (steps > entry.case.program.steps.length) return 'kept';
  const known = entry.provenance.shortest;
  if (known !== undefined && known.machine !== search.machine && known.steps <= steps) return 'kept';
  const noted = withShortest(entry, { machine: search.machine, steps, folding });
  if (!mayReplace(entry, found)) {
    await saveFinding(corpus, noted);
    return 'noted';
  }
  await saveFinding(corpus, {
    ...noted,
    case: { ...entry.case, program: found.program },
    divergence: found.divergence,
  });
  await rm(join(corpus, fileNameOf(entry)));
  return 'replaced by a shorter one';
};

const withShortest = (entry: Finding, shortest: Shortest): Finding => ({
  ...entry,
  provenance: { ...entry.provenance, shortest },
});

/** Whether the program found is shorter, has the same signature, and keeps the contract if the entry's does. */
const mayReplace = ({ case: { program, traffic }, divergence }: Finding, found: Counterexample): boolean =>
  found.program.steps.length < program.steps.length &&
  signatureOf(found.divergence) === signatureOf(divergence) &&
  (traffic === 'hostile' || keepsContract(found.program));
