import { OPS } from '../../model/vocabulary/index.js';
import { PAGING } from './situations/dimensions.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS } from './invariant.js';
import type { Moment } from './moment.js';

/** A killed guest must have no effect any more. */
export const deathIsFinal: Invariant = {
  id: 'death-is-final',
  statement: 'After a kill every step is dead and changes nothing; destroy still gives everything back.',
  source: 'machine.md 3, Kills',
  exercisedBy: 'a step after a kill',
  harms: 'host',
  looksAt: ['outcome', 'shadow'],
  contract: 'any',
  stages: OPS,
  outcomes: ['killed', 'dead'],
  situations: [{ name: 'a step after the kill', stages: OPS, dimensions: [PAGING] }],
  watch: () => new DeathWatch(),
};

class DeathWatch {
  private died = false;
  private shadowVersion = 0;
  private tableVersion = 0;

  begin(): void {
    this.died = false;
  }

  readonly after = ({ subjectKind, shadow }: Moment): Verdict => {
    if (this.died) return this.stillDead(subjectKind, shadow);
    if (subjectKind !== 'killed') return VACUOUS;
    this.died = true;
    this.shadowVersion = shadow?.shadowVersion ?? 0;
    this.tableVersion = shadow?.tableVersion ?? 0;
    return VACUOUS;
  };

  private stillDead(kind: string, shadow: Moment['shadow']): Verdict {
    if (kind !== 'dead') {
      const difference = `${kind} after the kill`;
      return { kind: 'alive-after-kill', field: 'outcome', expected: 'dead', actual: kind, difference };
    }
    if (shadow === undefined) return HELD;
    if (shadow.shadowVersion !== this.shadowVersion) return changed('shadow tables', 'shadow changed after the kill');
    return shadow.tableVersion === this.tableVersion ? HELD : changed('tables', 'tables changed after the kill');
  }
}

const changed = (field: string, difference: string): Violation => ({
  kind: 'changed-after-kill',
  field,
  expected: 'unchanged since the kill',
  actual: 'changed',
  difference,
});
