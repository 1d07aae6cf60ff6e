import type { ShadowTable, ShadowView } from '../../model/vocabulary/index.js';
import { OPS, bareOutcome } from '../../model/vocabulary/index.js';
import { PAGING, TABLES, setPmdNeedsPae } from './situations/dimensions.js';
import type { Invariant, Moment, Stage, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, violation } from './invariant.js';

const STAGES: readonly Stage[] = ['create', ...OPS, 'destroy'];

/** How the steps that hand out tables, or take them back, can leave their number. */
const OUTCOMES = {
  create: ['as many', 'more'],
  init: ['fewer', 'as many'],
  'new-pgtable': ['fewer', 'as many', 'more'],
  'flush-tlb': ['fewer', 'as many', 'more'],
  'set-stack': ['more'],
  'set-pmd': ['fewer', 'as many', 'more'],
  'set-pgd': ['fewer', 'as many'],
  access: ['more'],
  destroy: ['fewer'],
} as const satisfies Partial<Record<Stage, readonly string[]>>;

type Changer = keyof typeof OUTCOMES;
const CHANGERS = Object.keys(OUTCOMES) as readonly Changer[];

/** Tables are the host's own memory: one lost is lost for good, one used after free is somebody else's. */
export const tableAccounting: Invariant = {
  id: 'table-accounting',
  statement:
    "Every allocated table is reachable from a root exactly once, none is leaked or used after it was freed, and their number is the model's.",
  source: 'machine.md 1, Host pages; 4; release_pgd',
  exercisedBy: 'a step that allocated or freed a table',
  looksAt: 'observations',
  contract: 'any',
  neverAlone: 'a table that is lost or kept is still held at the end, which teardown sees too',
  stages: STAGES,
  whenQuiet: [],
  situations: [
    {
      name: 'tables handed out or back',
      stages: CHANGERS,
      dimensions: [PAGING, TABLES],
      unreachable: ({ step, paging, tables }) =>
        OUTCOMES[step as Changer].includes(tables as never)
          ? setPmdNeedsPae({ step, paging })
          : 'such a step never leaves that number',
    },
  ],
  watch: () => new TableWatch(),
};

class TableWatch {
  private tables = 0;
  private version = -1;
  private stamp = 0;
  private stamps = new Uint32Array(1 << 14);
  private reached = 0;
  private found: Violation | undefined = undefined;

  begin(): void {
    this.tables = 0;
    this.version = -1;
  }

  readonly after = ({ subject, reference, subjectKind, referenceKind, shadow }: Moment): Verdict => {
    if (bareOutcome(subjectKind) || bareOutcome(referenceKind)) return VACUOUS;
    if (subject.tables !== reference.tables) {
      const difference = subject.tables > reference.tables ? 'too many tables' : 'too few tables';
      return violation('tables', String(reference.tables), String(subject.tables), difference);
    }
    const exercised = shadow === undefined ? subject.tables !== this.tables : shadow.tableVersion !== this.version;
    this.tables = subject.tables;
    if (!exercised) return VACUOUS;
    return (shadow === undefined ? undefined : this.walk(shadow)) ?? HELD;
  };

  private walk(shadow: ShadowView): Violation | undefined {
    this.version = shadow.tableVersion;
    this.nextStamp();
    this.reached = 0;
    this.found = undefined;
    shadow.forEachTable(this.look);
    if (this.found !== undefined || this.reached === shadow.allocatedTables) return this.found;
    return violation('reachable tables', String(shadow.allocatedTables), String(this.reached), 'a table is lost');
  }

  private nextStamp(): void {
    this.stamp++;
    if (this.stamp < 2 ** 32 - 1) return;
    this.stamps.fill(0);
    this.stamp = 1;
  }

  private readonly look = (table: ShadowTable): void => {
    const { frame } = table;
    this.reached++;
    if (!table.allocated) {
      this.found ??= violation(`table on host page ${frame}`, 'allocated', 'free, and linked', 'used after free');
    } else if (this.stamps[frame] === this.stamp) {
      this.found ??= violation(`table on host page ${frame}`, 'linked once', 'linked twice', 'linked twice');
    }
    this.stamps[frame] = this.stamp;
  };
}
