/** Traces from 32-bit words (formats.md, Binary encoding). Every number is foreign: none is used before it is checked. */

import { isUtf8 } from 'node:buffer';
import type {
  EntryChange,
  MachineConfig,
  Observation,
  Outcome,
  OutcomeKind,
  Program,
  ReferenceChange,
  ReportedRoot,
  ReportedShadow,
  ReportedTable,
  ShadowLeaf,
  SwitcherReferences,
  Trace,
} from '../../model/vocabulary/index.js';
import {
  LEAF_TARGETS,
  OUTCOME_KINDS,
  SLOTS,
  bareOutcome,
  guestEntry,
  killedFor,
  paddr,
  pagingSizes,
  pfn,
  slot,
  vaddr,
} from '../../model/vocabulary/index.js';
import { BadInput } from './bad-input.js';
import { LONGEST_REASON } from './fields.js';
import type { TraceContents } from './trace-contents.js';
import {
  MISSING_SHADOW,
  MOST_RIGHTS,
  NOTHING,
  bareObservation,
  leafOf,
  noSwitcher,
  wrongLeaf,
} from './trace-contents.js';

/** The longest trace, in words. The objects that are made of it take up to 20 times as many bytes as it does. */
export const MOST_TRACE_WORDS = 2 ** 22;

/** Added to the number of an outcome's kind if the shadow follows. */
const SHADOW_FLAG = 256;
/** In the place of a page or a root: there is none. */
const NONE = 2 ** 32 - 1;
const TABLE_WORDS = 4;
const LEAF_WORDS = 6;
const EDGES_TITLE = 'edges';
const REASON = 'outcome.reason';

/** Which observation of a trace is read: a number is the index of a step. */
export type ObservationPlace = 'created' | number | 'destroyed';

type PlainKind = Exclude<OutcomeKind, 'initialized' | 'mapped' | 'fault' | 'mmio' | 'physical' | 'killed' | 'host-bug'>;

/** Outcomes without further members, each made once. */
const PLAIN = Object.fromEntries(OUTCOME_KINDS.map((kind) => [kind, Object.freeze({ kind })])) as unknown as Readonly<
  Record<PlainKind, Outcome>
>;

/** The list of a report that was read last, and its words. */
class LastList<Item> {
  /** Room for more than those of the list. */
  words = new Uint32Array(0);
  items: readonly Item[] = NOTHING;

  reserve(count: number): void {
    if (count <= this.words.length) return;
    const more = new Uint32Array(2 * count);
    more.set(this.words);
    this.words = more;
  }
}

/**
 * Reads the traces of one subject, or one observation at a time. What it returns stays valid, and shares what did not change from one
 * observation to the next.
 */
export class TraceReader {
  private readonly source: string;
  private readonly edges: number;
  private readonly withReferences: boolean;
  private readonly withStores: boolean;
  private readonly withTables: boolean;
  private readonly withSwitcher: boolean;
  private readonly withShadow: boolean;

  private words: Uint32Array = new Uint32Array(0);
  private at = 0;
  private end = 0;
  private place: ObservationPlace | typeof EDGES_TITLE = 'created';
  private hostCpus = 0;
  private tableLevels = 0;
  /** What a bare observation holds. */
  private none: SwitcherReferences = noSwitcher(0);
  private lastSwitcher: SwitcherReferences = this.none;
  // The lists of the last report, of which the next one mostly repeats the better part.
  private readonly lastTables = new LastList<ReportedTable>();
  private readonly lastPages = new LastList<number>();
  private readonly lastLeaves = new LastList<ShadowLeaf>();

  /** `source`: names the subject in messages. */
  constructor({ observes, edges }: TraceContents, source: string) {
    this.source = source;
    this.edges = edges;
    this.withReferences = observes.includes('references');
    this.withStores = observes.includes('stores');
    this.withTables = observes.includes('tables');
    this.withSwitcher = observes.includes('switcher');
    this.withShadow = observes.includes('shadow');
  }

  /** Reads a message, without its length. Throws `BadInput` if it is not a trace of the program. */
  trace(words: Uint32Array, { machine, steps }: Program): Trace {
    this.begin(machine);
    this.open(words, 'created');
    const created = this.observation();
    const observations: Observation[] = [];
    for (let index = 0; index < steps.length; index++) {
      this.place = index;
      observations.push(this.observation());
    }
    this.place = 'destroyed';
    const destroyed = this.observation();
    const edges = this.edges === 0 ? undefined : this.edgeList();
    this.close();
    return edges === undefined
      ? { created, steps: observations, destroyed }
      : { created, steps: observations, destroyed, edges };
  }

  /** Before the first observation of a program, if they are read one at a time. */
  begin({ hostCpus, paging }: MachineConfig): void {
    this.hostCpus = hostCpus;
    this.tableLevels = pagingSizes(paging).tableLevels;
    this.none = this.lastSwitcher = noSwitcher(hostCpus);
    // Which depths tables may have depends on the paging mode.
    this.lastTables.items = NOTHING;
    this.lastPages.items = NOTHING;
    this.lastLeaves.items = NOTHING;
  }

  /** Reads words of which those from `from` to `to` − 1 are one observation. Throws `BadInput` if they are not. */
  one(words: Uint32Array, place: ObservationPlace, from = 0, to = words.length): Observation {
    this.open(words, place, from, to);
    const observation = this.observation();
    this.close();
    return observation;
  }

  /** Reads words that hold the list of edges. Throws `BadInput` if they do not. */
  edgesOf(words: Uint32Array): readonly number[] {
    this.open(words, EDGES_TITLE);
    const edges = this.edgeList();
    this.close();
    return edges;
  }

  private open(words: Uint32Array, place: ObservationPlace | typeof EDGES_TITLE, from = 0, to = words.length): void {
    this.words = words;
    this.at = from;
    this.end = to;
    this.place = place;
  }

  private close(): void {
    if (this.at === this.end) return;
    throw this.problem('', `${this.end - this.at} words more than it should have; check the lengths that come before`);
  }

  private observation(): Observation {
    const word = this.word('outcome');
    const kind = OUTCOME_KINDS[word & ~SHADOW_FLAG] as OutcomeKind | undefined;
    if (kind === undefined) throw this.unknownKind(word);
    const outcome = this.outcome(kind);
    const isBare = bareOutcome(kind);
    if (word >= SHADOW_FLAG) this.refuseShadow(isBare);
    if (isBare) return bareObservation(outcome, this.none);
    const references = this.withReferences ? this.referenceList() : NOTHING;
    const stores = this.withStores ? this.storeList() : NOTHING;
    const tables = this.withTables ? this.word('tables') : 0;
    const switcher = this.withSwitcher ? this.switcherReferences() : this.none;
    if (word >= SHADOW_FLAG) return { outcome, references, stores, tables, switcher, shadow: this.reportedShadow() };
    if (this.withShadow && kind === 'created' && this.place === 'created') throw this.problem('shadow', MISSING_SHADOW);
    return { outcome, references, stores, tables, switcher };
  }

  private unknownKind(word: number): BadInput {
    const remedy = `give a number from 0 to ${OUTCOME_KINDS.length - 1}, plus ${SHADOW_FLAG} if the shadow follows`;
    return this.problem('outcome', `${word} is not the number of a kind; ${remedy}`);
  }

  /** Where none may follow. */
  private refuseShadow(isBare: boolean): void {
    if (!this.withShadow) throw this.problem('shadow', 'the hello does not list it; add "shadow" to observes');
    if (isBare) throw this.problem('shadow', 'a bare outcome has none; leave it out');
    if (this.place === 'destroyed') throw this.problem('shadow', 'nothing is left to show; leave it out');
  }

  private outcome(kind: OutcomeKind): Outcome {
    switch (kind) {
      case 'initialized':
        return { kind, reserved: this.word('outcome.reserved') };
      case 'mapped':
      case 'mmio':
      case 'physical':
        return { kind, paddr: paddr(this.word('outcome.paddr')) };
      case 'fault':
        return { kind, code: this.word('outcome.code') };
      case 'killed':
        return killedFor(this.reason());
      case 'host-bug':
        return { kind, reason: this.reason() };
      default:
        return PLAIN[kind];
    }
  }

  private reason(): string {
    const bytes = this.word(REASON);
    if (bytes > LONGEST_REASON) throw this.problem(REASON, `${bytes} bytes long; give at most ${LONGEST_REASON}`);
    const words = Math.ceil(bytes / 4);
    this.need(REASON, words);
    const { buffer, byteOffset } = this.words;
    const text = Buffer.from(buffer, byteOffset + this.at * 4, words * 4);
    this.at += words;
    if (text.subarray(bytes).some((byte) => byte !== 0)) {
      throw this.problem(REASON, 'more text behind its end; fill the last word up with zeros');
    }
    if (!isUtf8(text.subarray(0, bytes))) throw this.problem(REASON, 'it is not UTF-8; check its length and its bytes');
    return text.toString('utf8', 0, bytes);
  }

  private referenceList(): readonly ReferenceChange[] {
    const count = this.list('references', 2);
    if (count === 0) return NOTHING;
    const { words } = this;
    const changes: ReferenceChange[] = [];
    for (const end = this.at + 2 * count; this.at < end; this.at += 2) {
      changes.push({ page: pfn(words[this.at]), count: words[this.at + 1] });
    }
    return changes;
  }

  private storeList(): readonly EntryChange[] {
    const count = this.list('stores', 3);
    if (count === 0) return NOTHING;
    const { words } = this;
    const changes: EntryChange[] = [];
    for (const end = this.at + 3 * count; this.at < end; this.at += 3) {
      changes.push({ paddr: paddr(words[this.at]), value: guestEntry(words[this.at + 1], words[this.at + 2]) });
    }
    return changes;
  }

  /** Most steps leave these references as they are, and then so is the object. */
  private switcherReferences(): SwitcherReferences {
    this.need('switcher', 2 + this.hostCpus);
    const { words, at, hostCpus, lastSwitcher } = this;
    this.at = at + 2 + hostCpus;
    let same = lastSwitcher.text === words[at] && lastSwitcher.registers === words[at + 1];
    for (let index = 0; same && index < hostCpus; index++) same = lastSwitcher.state[index] === words[at + 2 + index];
    if (same) return lastSwitcher;
    const state = Array.from(words.subarray(at + 2, at + 2 + hostCpus));
    return (this.lastSwitcher = { text: words[at], state, registers: words[at + 1] });
  }

  private reportedShadow(): ReportedShadow {
    const current = slot(this.below('shadow.current', SLOTS));
    const roots: (ReportedRoot | undefined)[] = [];
    for (let index = 0; index < SLOTS; index++) roots.push(this.root());
    const tables = this.reportedList('shadow.tables', TABLE_WORDS, this.lastTables, this.table);
    const pages = this.reportedList('shadow.pages', 1, this.lastPages, this.allocatedPage);
    return { current, roots, tables, pages, leaves: this.leafList() };
  }

  private leafList(): readonly ShadowLeaf[] {
    const before = this.lastLeaves.items;
    const leaves = this.reportedList('shadow.leaves', LEAF_WORDS, this.lastLeaves, this.leaf);
    const wrong = leaves === before ? undefined : wrongLeaf(leaves);
    if (wrong !== undefined) throw this.problem(`shadow.leaves[${wrong.index}]`, wrong.problem);
    return leaves;
  }

  /** Reads a list with what `read` reads of each member. Members whose words are those of the last report's are the same objects. */
  private reportedList<Item>(
    member: string,
    wordsEach: number,
    last: LastList<Item>,
    read: () => Item,
  ): readonly Item[] {
    const count = this.list(member, wordsEach);
    const before = last.items;
    last.reserve(count * wordsEach);
    let items: Item[] | undefined;
    for (let index = 0; index < count; index++) {
      const { at } = this;
      if (index < before.length && this.repeats(last.words, index * wordsEach, wordsEach)) {
        items?.push(before[index]);
        continue;
      }
      items ??= before.slice(0, index);
      items.push(read());
      for (let word = 0; word < wordsEach; word++) last.words[index * wordsEach + word] = this.words[at + word];
    }
    if (items === undefined && count === before.length) return before;
    return (last.items = items ?? before.slice(0, count));
  }

  /** Whether the next words are `count` of `before`, from `from` on; then they are read. */
  private repeats(before: Uint32Array, from: number, count: number): boolean {
    const { words, at } = this;
    for (let index = 0; index < count; index++) if (words[at + index] !== before[from + index]) return false;
    this.at = at + count;
    return true;
  }

  private root(): ReportedRoot | undefined {
    const frame = this.word('shadow.roots');
    const guestRoot = this.word('shadow.roots');
    if (frame === NONE) {
      if (guestRoot === NONE) return undefined;
      throw this.problem('shadow.roots', `a guest root without a root page; give ${NONE} for both, or the page`);
    }
    return { frame, guestRoot: guestRoot === NONE ? undefined : paddr(guestRoot) };
  }

  private readonly table = (): ReportedTable => {
    const where = slot(this.below('shadow.tables', SLOTS));
    const depth = this.word('shadow.tables');
    if (depth < 1 || depth > this.tableLevels) {
      throw this.problem('shadow.tables', `${depth} is not the depth of a table; give 1 to ${this.tableLevels}`);
    }
    const first = vaddr(this.word('shadow.tables'));
    return { slot: where, depth, vaddr: first, frame: this.hostPage('shadow.tables') };
  };

  private readonly allocatedPage = (): number => this.hostPage('shadow.pages');

  private readonly leaf = (): ShadowLeaf => {
    const where = slot(this.below('shadow.leaves', SLOTS));
    const first = vaddr(this.word('shadow.leaves'));
    const target = LEAF_TARGETS[this.below('shadow.leaves', LEAF_TARGETS.length)];
    const page = this.word('shadow.leaves');
    const rights = this.below('shadow.leaves', MOST_RIGHTS + 1);
    const upper = this.below('shadow.leaves', MOST_RIGHTS + 1);
    return leafOf(where, first, target, page, rights, upper);
  };

  private hostPage(member: string): number {
    return this.below(member, NONE);
  }

  private edgeList(): readonly number[] {
    this.place = EDGES_TITLE;
    return Array.from({ length: this.list('', 1) }, () => this.below('', this.edges));
  }

  private word(member: string): number {
    if (this.at === this.end) throw this.problem(member, 'the message ends before it; check the lengths');
    return this.words[this.at++];
  }

  private below(member: string, bound: number): number {
    const value = this.word(member);
    if (value < bound) return value;
    throw this.problem(member, `${value} is out of range; give a number from 0 to ${bound - 1}`);
  }

  /** The length of a list, of which all members are there. */
  private list(member: string, wordsEach: number): number {
    const length = this.word(member);
    this.need(member, length * wordsEach);
    return length;
  }

  private need(member: string, words: number): void {
    const left = this.end - this.at;
    if (words <= left) return;
    throw this.problem(member, `it takes ${words} words, and ${left} are left of the message; check the lengths`);
  }

  private problem(member: string, text: string): BadInput {
    const { place } = this;
    const title = typeof place === 'number' ? `steps[${place}]` : place;
    return new BadInput(this.source, text, { place: member === '' ? title : `${title}.${member}` });
  }
}
