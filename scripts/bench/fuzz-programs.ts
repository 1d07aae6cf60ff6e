/** The fuzz loop with everything on, to be timed. */

import { DEFAULT_PROGRAM_OPTIONS } from '../../properties/generators/index.js';
import type { FuzzWatcher } from '../../properties/fuzz.js';
import { fuzz } from '../../properties/fuzz.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import { IMPL, MODEL } from '../../properties/subjects/registry.js';
import type { Tally } from '../../properties/tally.js';
import { CAMPAIGN } from './groups/generated.js';

/**
 * Runs programs as long as the watcher lets it; `part` names which, so that several runs at once share none. Throws if it finds
 * something, for then it would measure the search for small programs.
 */
export const fuzzWhile = async (part: number, watcher: FuzzWatcher): Promise<Tally> => {
  const { tally, findings } = await fuzz(
    {
      ...DEFAULT_PROGRAM_OPTIONS,
      campaign: part === 0 ? CAMPAIGN : `${CAMPAIGN}/${part}`,
      reference: MODEL,
      subject: IMPL,
      invariants: INVARIANTS,
      mostFindings: 1,
      mostTries: 0,
    },
    watcher,
  );
  for (const { signature } of findings) throw new Error(`the machines diverge (${signature}); run shadowdiff fuzz`);
  return tally;
};

/** One long run that stands still between stretches: what it takes to begin a run is no part of a step. */
export class PausingLoop {
  private wanted = 0;
  private steps = 0;
  private goOn: () => void = () => undefined;
  private arrived: () => void = () => undefined;
  private run: Promise<Tally> | undefined = undefined;

  /** Runs so many programs more; answers how many steps they had. */
  async stretch(programs: number): Promise<number> {
    const before = this.steps;
    this.wanted += programs;
    const arrival = new Promise<void>((resolve) => (this.arrived = resolve));
    this.goOn();
    this.run ??= fuzzWhile(0, { goOn: (done, tally) => done < this.wanted || this.standStill(tally) });
    await Promise.race([arrival, this.run]);
    return this.steps - before;
  }

  private standStill({ steps }: Tally): Promise<boolean> {
    this.steps = steps;
    const going = new Promise<boolean>((resolve) => (this.goOn = () => resolve(true)));
    this.arrived();
    return going;
  }
}
