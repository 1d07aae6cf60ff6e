/** The shortest program for every defect of the catalogue: looked for, listed, and noted in the corpus. */

import type { Defect } from '../../../impl/defects/defect.js';
import { DEFECTS, defectNamed } from '../../../impl/defects/catalogue.js';
import { BadInput } from '../../../properties/formats/index.js';
import type { Finding } from '../../../properties/finding.js';
import { readCorpus } from '../../../properties/corpus/store.js';
import { signatureOf } from '../../../properties/divergence.js';
import type { Search } from '../../../properties/exhaust/shortest.js';
import type { SmallMachineName } from '../../../properties/exhaust/small-machine.js';
import { searchShortest } from '../../../properties/exhaust/shortest.js';
import { MODEL, implWith } from '../../../properties/subjects/registry.js';
import { EventLoopYield } from '../../terminal/event-loop-yield.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { checkDirectory } from '../../terminal/result-directory.js';
import { ProgressDisplay } from '../../terminal/progress-display.js';
import { compactCount, counted } from '../../terminal/numbers.js';
import { fitting } from '../../terminal/progress-line.js';
import type { Session } from '../../terminal/session.js';
import type { Recorded } from './record.js';
import { record } from './record.js';

export interface DefectsFlags {
  readonly machine: SmallMachineName;
  readonly maxStates: number;
  readonly defect?: readonly string[];
  readonly record?: true;
  readonly corpus: string;
}

/** Throws `BadInput` for a defect or a corpus that is none. */
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
): Promise<Search> => {
  const eventLoop = new EventLoopYield(session.surroundings.monotonic);
  let doing = '';
  const display = new ProgressDisplay(session, (columns) => fitting([defect.id, doing], columns));
  try {
    return await searchShortest({ machine, mostStates: maxStates }, implWith(subjectOf(defect), [defect]), MODEL, {
      goOn: async ({ paging, kernel }, { states, depth }) => {
        doing = `${paging}, kernel ${kernel}, depth ${depth}, ${compactCount(states)} states`;
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
  return (await readCorpus(corpus)).map((stored) => {
    if (stored.kind === 'unreadable') throw new BadInput(corpus, stored.problem);
    return stored.entry;
  });
};

const ID_COLUMNS = Math.max(...DEFECTS.map(({ id }) => id.length)) + 2;

const lineOf = ({ id }: Defect, search: Search, recorded: Recorded | undefined): string =>
  `${id.padEnd(ID_COLUMNS)}${searchText(search)}${recorded === undefined ? '' : `; ${recorded}`}`;

const searchText = (search: Search): string => {
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
