/**
 * Reads a trace from JSON text in one pass, without a value in between and without schemas: all three together take ten times as long. It
 * knows only as much of JSON as subjects use, in any order of keys. Whatever else stands in the text, it leaves to the schemas of
 * trace-schema.ts, which define what is read and report what is wrong.
 */

import type {
  EntryChange,
  Observation,
  Outcome,
  Program,
  ReferenceChange,
  ReportedRoot,
  ReportedShadow,
  ReportedTable,
  ShadowLeaf,
  Slot,
  SwitcherReferences,
  Trace,
} from '../../model/vocabulary/index.js';
import {
  LEAF_TARGETS,
  OBSERVABLES,
  OUTCOME_KINDS,
  SLOTS,
  bareOutcome,
  killedFor,
  paddr,
  pagingSizes,
  pfn,
  slot,
  vaddr,
} from '../../model/vocabulary/index.js';
import { isReason } from './fields.js';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COMMA,
  JsonScanner,
  NotKnown,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  REFUSED,
  closed,
  withKey,
} from './json-scanner.js';
import type { TraceContents } from './trace-contents.js';
import {
  MOST_HOST_PAGE,
  MOST_RIGHTS,
  NOTHING,
  bareObservation,
  leafOf,
  noSwitcher,
  wrongLeaf,
} from './trace-contents.js';

const U32_MOST = 2 ** 32 - 1;
/** A shorter text cannot hold more values than any text may. */
const LONGEST = 2 ** 22;

const TRACE_KEYS = ['created', 'steps', 'destroyed', 'edges'] as const;
const OBSERVATION_KEYS = closed(OBSERVABLES);
const OUTCOME_KEYS = closed(['kind', 'paddr', 'code', 'reserved', 'reason']);
const SWITCHER_KEYS = closed(['text', 'state', 'registers']);
const KINDS = closed(OUTCOME_KINDS);
const TARGETS = closed(LEAF_TARGETS);
const [OUTCOME, REFERENCES, STORES, TABLES, SWITCHER] = [0, 1, 2, 3, 4] as const;
const [KIND, PADDR, CODE, RESERVED, REASON] = [0, 1, 2, 3, 4] as const;
const [TEXT, STATE, REGISTERS] = [0, 1, 2] as const;
const SHADOW_KEYS = ['current', 'roots', 'tables', 'pages', 'leaves'] as const;

type Draft<Type> = { -readonly [Key in keyof Type]?: Type[Key] };

class QuickReader extends JsonScanner {
  private readonly program: Program;
  private readonly contents: TraceContents;
  private readonly tableLevels: number;
  private readonly none: SwitcherReferences;
  private lastSwitcher: SwitcherReferences;
  /** By index in `OBSERVATION_KEYS`. */
  private readonly isObserved: readonly boolean[];
  /** By index in `OUTCOME_KEYS`: where the values of the outcome begin, −1 for those that are missing. */
  private readonly places = new Int32Array(OUTCOME_KEYS.length);

  constructor(bytes: Buffer, program: Program, contents: TraceContents) {
    super(bytes);
    const { hostCpus, paging } = program.machine;
    this.program = program;
    this.contents = contents;
    this.tableLevels = pagingSizes(paging).tableLevels;
    this.none = this.lastSwitcher = noSwitcher(hostCpus);
    this.isObserved = OBSERVABLES.map((each) => contents.observes.includes(each));
  }

  trace(): Trace {
    const { edges } = this.contents;
    const trace: Draft<Trace> = {};
    this.members(TRACE_KEYS, (key) => {
      if (key === 'created') trace.created = this.created();
      else if (key === 'steps') trace.steps = this.steps();
      else if (key === 'destroyed') trace.destroyed = this.observation(false);
      else if (edges === 0) this.skip();
      else trace.edges = this.list(() => this.natural(edges - 1));
    });
    this.end();
    const { created, steps, destroyed } = trace;
    if (created === undefined || steps === undefined || destroyed === undefined) throw REFUSED;
    if (edges > 0 && trace.edges === undefined) throw REFUSED;
    return { created, steps, destroyed, ...(edges > 0 && { edges: trace.edges }) };
  }

  private created(): Observation {
    const created = this.observation(true);
    const { outcome, shadow } = created;
    if (this.contents.observes.includes('shadow') && outcome.kind === 'created' && shadow === undefined) throw REFUSED;
    return created;
  }

  private steps(): readonly Observation[] {
    const { length } = this.program.steps;
    const steps: Observation[] = [];
    this.expect(OPEN_LIST);
    for (let more = !this.takes(CLOSE_LIST); more; more = this.more(CLOSE_LIST)) {
      if (steps.length === length) throw REFUSED;
      steps.push(this.observation(true));
    }
    if (steps.length !== length) throw REFUSED;
    return steps;
  }

  /** Written out, like the readers of outcomes and of the Switcher's references: they are most of a trace. */
  private observation(mayShow: boolean): Observation {
    const { isObserved } = this;
    let outcome: Outcome | undefined;
    let references: readonly ReferenceChange[] | undefined;
    let stores: readonly EntryChange[] | undefined;
    let tables: number | undefined;
    let switcher: SwitcherReferences | undefined;
    let shadow: ReportedShadow | undefined;
    let isBare = false;
    let met = 0;
    let index = -1;
    this.expect(OPEN_OBJECT);
    for (let more = !this.takes(CLOSE_OBJECT); more; more = this.more(CLOSE_OBJECT)) {
      index = this.key(OBSERVATION_KEYS, index + 1);
      met = withKey(met, index);
      if (index === OUTCOME) {
        outcome = this.outcome();
        isBare = bareOutcome(outcome.kind);
      } else if (index === -1 || isBare || !isObserved[index]) this.skip();
      else if (index === REFERENCES) references = this.list(this.reference);
      else if (index === STORES) stores = this.list(this.store);
      else if (index === TABLES) tables = this.natural(Number.MAX_SAFE_INTEGER);
      else if (index === SWITCHER) switcher = this.switcher();
      else if (mayShow) shadow = this.shadow();
      else this.skip();
    }
    if (outcome === undefined) throw REFUSED;
    if (isBare) return bareObservation(outcome, this.none);
    const observation: Observation = {
      outcome,
      references: isObserved[REFERENCES] ? required(references) : NOTHING,
      stores: isObserved[STORES] ? required(stores) : NOTHING,
      tables: isObserved[TABLES] ? required(tables) : 0,
      switcher: isObserved[SWITCHER] ? required(switcher) : this.none,
    };
    return shadow === undefined ? observation : { ...observation, shadow };
  }

  /** The fields beside the kind may come before it, so where the values begin is noted first. */
  private outcome(): Outcome {
    const { places } = this;
    places.fill(-1);
    let met = 0;
    let index = -1;
    this.expect(OPEN_OBJECT);
    for (let more = !this.takes(CLOSE_OBJECT); more; more = this.more(CLOSE_OBJECT)) {
      index = this.key(OUTCOME_KEYS, index + 1);
      met = withKey(met, index);
      this.peek();
      if (index !== -1) places[index] = this.at;
      this.skip();
    }
    const end = this.at;
    this.goTo(KIND);
    this.expect(QUOTE);
    const outcome = this.outcomeOf(OUTCOME_KINDS[this.wordIn(KINDS)]);
    this.at = end;
    return outcome;
  }

  private goTo(key: number): void {
    const place = this.places[key];
    if (place === -1) throw REFUSED;
    this.at = place;
  }

  private outcomeOf(kind: Outcome['kind']): Outcome {
    switch (kind) {
      case 'initialized':
        this.goTo(RESERVED);
        return { kind, reserved: this.address() };
      case 'mapped':
      case 'mmio':
      case 'physical':
        this.goTo(PADDR);
        return { kind, paddr: paddr(this.address()) };
      case 'fault':
        this.goTo(CODE);
        return { kind, code: this.natural(U32_MOST) };
      case 'killed':
        this.goTo(REASON);
        return killedFor(this.reason());
      case 'host-bug':
        this.goTo(REASON);
        return { kind, reason: this.reason() };
      default:
        return { kind };
    }
  }

  private wordIn(words: readonly string[]): number {
    const index = this.wordFrom(words, 0);
    if (index === -1) throw REFUSED;
    return index;
  }

  private reason(): string {
    const text = this.string();
    if (!isReason(text)) throw REFUSED;
    return text;
  }

  private readonly reference = (): ReferenceChange => {
    this.expect(OPEN_LIST);
    const page = pfn(this.natural(Number.MAX_SAFE_INTEGER));
    this.expect(COMMA);
    const count = this.natural(Number.MAX_SAFE_INTEGER);
    this.expect(CLOSE_LIST);
    return { page, count };
  };

  private readonly store = (): EntryChange => {
    this.expect(OPEN_LIST);
    const address = paddr(this.address());
    this.expect(COMMA);
    const value = this.entry();
    this.expect(CLOSE_LIST);
    return { paddr: address, value };
  };

  /** Most steps leave these references as they are, and then so is the object. */
  private switcher(): SwitcherReferences {
    let text: number | undefined;
    let state: readonly number[] | undefined;
    let registers: number | undefined;
    let met = 0;
    let index = -1;
    this.expect(OPEN_OBJECT);
    for (let more = !this.takes(CLOSE_OBJECT); more; more = this.more(CLOSE_OBJECT)) {
      index = this.key(SWITCHER_KEYS, index + 1);
      met = withKey(met, index);
      if (index === TEXT) text = this.natural(Number.MAX_SAFE_INTEGER);
      else if (index === STATE) state = this.list(this.count);
      else if (index === REGISTERS) registers = this.natural(Number.MAX_SAFE_INTEGER);
      else this.skip();
    }
    if (text === undefined || registers === undefined || state?.length !== this.program.machine.hostCpus) throw REFUSED;
    const { lastSwitcher: last } = this;
    let isSame = last.text === text && last.registers === registers;
    for (let cpu = 0; isSame && cpu < state.length; cpu++) isSame = state[cpu] === last.state[cpu];
    return isSame ? last : (this.lastSwitcher = { text, state, registers });
  }

  private readonly count = (): number => this.natural(Number.MAX_SAFE_INTEGER);

  private shadow(): ReportedShadow {
    const found: Draft<ReportedShadow> = {};
    this.members(SHADOW_KEYS, (key) => {
      if (key === 'current') found.current = this.slot();
      else if (key === 'roots') found.roots = this.list(this.root);
      else if (key === 'tables') found.tables = this.list(this.table);
      else if (key === 'pages') found.pages = this.list(() => this.natural(MOST_HOST_PAGE));
      else found.leaves = this.list(this.leaf);
    });
    const { current, roots, tables, pages, leaves } = found;
    if (roots?.length !== SLOTS || wrongLeaf(required(leaves)) !== undefined) throw REFUSED;
    return {
      current: required(current),
      roots,
      tables: required(tables),
      pages: required(pages),
      leaves: required(leaves),
    };
  }

  private slot(): Slot {
    return slot(this.natural(SLOTS - 1));
  }

  private readonly root = (): ReportedRoot | undefined => {
    if (this.takesNull()) return undefined;
    this.expect(OPEN_LIST);
    const frame = this.natural(MOST_HOST_PAGE);
    this.expect(COMMA);
    const guestRoot = this.takesNull() ? undefined : paddr(this.address());
    this.expect(CLOSE_LIST);
    return { frame, guestRoot };
  };

  private readonly table = (): ReportedTable => {
    this.expect(OPEN_LIST);
    const where = this.slot();
    this.expect(COMMA);
    const depth = this.natural(this.tableLevels);
    if (depth === 0) throw REFUSED;
    this.expect(COMMA);
    const first = vaddr(this.address());
    this.expect(COMMA);
    const frame = this.natural(MOST_HOST_PAGE);
    this.expect(CLOSE_LIST);
    return { slot: where, depth, vaddr: first, frame };
  };

  private readonly leaf = (): ShadowLeaf => {
    this.expect(OPEN_LIST);
    const where = this.slot();
    this.expect(COMMA);
    const first = vaddr(this.address());
    this.expect(COMMA);
    this.expect(QUOTE);
    const target = LEAF_TARGETS[this.wordIn(TARGETS)];
    this.expect(COMMA);
    const page = this.natural(U32_MOST);
    this.expect(COMMA);
    const rights = this.natural(MOST_RIGHTS);
    this.expect(COMMA);
    const upper = this.natural(MOST_RIGHTS);
    this.expect(CLOSE_LIST);
    return leafOf(where, first, target, page, rights, upper);
  };
}

const required = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw REFUSED;
  return value;
};

/** The trace in a line of UTF-8, as an answer to `program`; undefined if it is not all known here. */
export const quickTrace = (line: Buffer, program: Program, contents: TraceContents): Trace | undefined => {
  if (line.length > LONGEST) return undefined;
  try {
    return new QuickReader(line, program, contents).trace();
  } catch (error) {
    if (error instanceof NotKnown) return undefined;
    throw error;
  }
};
