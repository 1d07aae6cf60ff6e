import type { ShadowTable, ShadowView } from '../../model/vocabulary/index.js';
import { OPS, bareOutcome } from '../../model/vocabulary/index.js';
import { PAGING, TABLES, setPmdNeedsPae } from './situations/dimensions.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS } from './invariant.js';
import type { Aftermath, Stage } from './moment.js';

const STAGES: readonly Stage[] = ['create', ...OPS, 'destroy'];

/** Steps that allocate or free tables, and how they can change the number. */
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

/** Tables are host memory: a lost one is never freed, and one used after free may belong to another guest. */
export const tableAccounting: Invariant = {
  id: 'table-accounting',
  statement:
    "Every allocated table is reachable from a root exactly once, none is leaked or used after it was freed, and their number is the model's.",
  source: 'machine.md 1, Host pages; 4; release_pgd',
  exercisedBy: 'a step that allocated or freed a table',
  harms: 'host',
  looksAt: ['tables', 'shadow'],
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
  private readonly met = new PagesMet();
  private reached = 0;
  private found: Violation | undefined = undefined;

  begin(): void {
    this.tables = 0;
    this.version = -1;
  }

  readonly after = ({ subject, model, subjectKind, modelKind, shadow }: Aftermath): Verdict => {
    if (bareOutcome(subjectKind) || bareOutcome(modelKind)) return VACUOUS;
    if (subject.tables !== model.tables) {
      const [expected, actual] = [String(model.tables), String(subject.tables)];
      return subject.tables > model.tables
        ? { kind: 'too-many-tables', field: 'tables', expected, actual, difference: 'too many tables' }
        : { kind: 'too-few-tables', field: 'tables', expected, actual, difference: 'too few tables' };
    }
    const exercised = shadow === undefined ? subject.tables !== this.tables : shadow.tableVersion !== this.version;
    this.tables = subject.tables;
    if (shadow !== undefined && shadow.allocatedTables !== subject.tables) return miscounted(shadow, subject.tables);
    if (!exercised) return VACUOUS;
    return (shadow === undefined ? undefined : this.walk(shadow)) ?? HELD;
  };

  readonly audit = this.after;

  private walk(shadow: ShadowView): Violation | undefined {
    this.version = shadow.tableVersion;
    this.met.clear();
    this.reached = 0;
    this.found = undefined;
    shadow.forEachTable(this.look);
    if (this.found !== undefined || this.reached === shadow.allocatedTables) return this.found;
    return {
      kind: 'table-lost',
      field: 'reachable tables',
      expected: String(shadow.allocatedTables),
      actual: String(this.reached),
      difference: 'a table is lost',
    };
  }

  private readonly look = (table: ShadowTable): void => {
    const { frame } = table;
    this.reached++;
    if (!table.allocated) this.found ??= wrongTable(frame, USED_AFTER_FREE);
    else if (this.met.has(frame)) this.found ??= wrongTable(frame, LINKED_TWICE);
    this.met.add(frame);
  };
}

/** Host pages below this number are kept in an array. Those of our own machines are; a subject may choose any. */
const SMALL = 1 << 14;

/** A set of host pages that is cleared at once. */
class PagesMet {
  private stamp = 1;
  private readonly stamps = new Uint32Array(SMALL);
  private readonly large = new Set<number>();

  has(page: number): boolean {
    return page < SMALL ? this.stamps[page] === this.stamp : this.large.has(page);
  }

  add(page: number): void {
    if (page < SMALL) this.stamps[page] = this.stamp;
    else this.large.add(page);
  }

  clear(): void {
    this.large.clear();
    this.stamp++;
    if (this.stamp < 2 ** 32 - 1) return;
    this.stamps.fill(0);
    this.stamp = 1;
  }
}

const miscounted = ({ allocatedTables }: ShadowView, counted: number): Violation => ({
  kind: 'tables-miscounted',
  field: 'tables shown',
  expected: String(counted),
  actual: String(allocatedTables),
  difference: 'tables shown and counted differ',
});

const wrongTable = (
  frame: number,
  words: Pick<Violation, 'kind' | 'expected' | 'actual' | 'difference'>,
): Violation => ({
  ...words,
  field: `table on host page ${frame}`,
  location: { frame },
});

const USED_AFTER_FREE = {
  kind: 'table-used-after-free',
  expected: 'allocated',
  actual: 'free, and linked',
  difference: 'used after free',
} as const;

const LINKED_TWICE = {
  kind: 'table-linked-twice',
  expected: 'linked once',
  actual: 'linked twice',
  difference: 'linked twice',
} as const;
