/** Explainers of invariants that count: references, tables, and slots that map a page of the Switcher. */

import { formatHex } from '../../formats/index.js';
import { switcherRegistersAddress } from '../../../model/vocabulary/index.js';
import { pagingLevels } from '../table-rows.js';
import type { LeafSeen } from '../shadow-snapshot.js';
import { leafKey } from '../rerun.js';
import { leafPlace, leafText, listText, plural } from '../words.js';
import { hereWithEffect } from './required-effect.js';
import type { Evidence, Explainer, Sentence } from './evidence.js';
import { currentSlot, gone, leafIn, leavesTo, leavesWhere, sentence, shadowBefore, shadowOf } from './evidence.js';

/** `reference-count`: a page that is held for nothing, or let go while it is mapped. */
export const explainReferences: Explainer = (evidence) => {
  const { location, moment, before, index } = evidence;
  const { page } = location;
  if (page === undefined) return undefined;
  const expected = moment.modelCounts?.get(page) ?? 0;
  const actual = moment.subjectCounts?.get(page) ?? 0;
  const earlier = before?.subjectCounts?.get(page) ?? 0;
  const has = actual === earlier && actual !== 0 ? 'still has' : 'has';
  const due = expected === 0 ? 'and must have none' : `where ${expected} would be right`;
  const held = actual === 0 ? 'no reference' : plural(actual, 'reference');
  const text = `after ${hereWithEffect(evidence)}, page ${page} ${has} ${held} ${due}${mappers(evidence, page, actual)}`;
  const leaf = [...leavesTo(shadowOf(evidence), page), ...formerLeaves(evidence, page)].at(0);
  return sentence(text, { page, step: index, vaddr: leaf?.vaddr, slot: leaf?.slot });
};

/** Each leaf holds one reference: which leaves map the page, or did until this step. */
const mappers = (evidence: Evidence, page: number, count: number): string => {
  const shadow = shadowOf(evidence);
  if (shadow === undefined) return '';
  const leaves = leavesTo(shadow, page);
  if (leaves.length > 0) {
    const map = leaves.length === 1 ? 'one shadow leaf maps' : `${leaves.length} shadow leaves map`;
    return `; ${map} it (${listText(leaves.map(leafPlace))})`;
  }
  const former = formerLeaves(evidence, page);
  if (former.length === 0) return '; no shadow leaf maps it';
  const which = former.length === 1 ? 'the one' : 'those';
  const stayed = count > 0 ? ', and its reference stayed' : '';
  return `; no shadow leaf maps it any more; until this step ${which} for ${listText(former.map(leafPlace))} did${stayed}`;
};

/** Leaves that led to a page before the step and do not now. */
const formerLeaves = (evidence: Evidence, page: number): readonly LeafSeen[] => {
  const now = new Set(leavesTo(shadowOf(evidence), page).map(leafKey));
  return leavesTo(evidence.before?.shadow, page).filter((leaf) => !now.has(leafKey(leaf)));
};

/** `table-accounting` and `teardown`: a number of tables that is wrong. */
export const explainTableCount: Explainer = (evidence) => {
  const { divergence, moment, before, program, index } = evidence;
  const { tables } = moment.subject;
  if (tables === undefined) return undefined;
  switch (moment.place.kind) {
    case 'create': {
      if (moment.subject.outcome.kind !== 'no-memory' || tables === 0) return undefined;
      const failed = `its allocation ${program.machine.failAllocation} fails`;
      return sentence(
        `creation finds no memory (${failed}) and must hold nothing; ${plural(tables, 'table')} stayed allocated`,
      );
    }
    case 'destroy': {
      if (tables === 0) return undefined;
      const had = before?.subject.tables === undefined ? '' : ` of the ${before.subject.tables} that there were`;
      return sentence(
        `destroy must free every shadow table; ${tables}${had} ${tables === 1 ? 'is' : 'are'} still held`,
      );
    }
    case 'step':
    case 'end': {
      const held = `${plural(tables, 'shadow table')} ${tables === 1 ? 'is' : 'are'} held`;
      const too = divergence.kind === 'too-many-tables' ? 'too many' : 'too few';
      const moves = tableMoves(evidence);
      const text = `after ${hereWithEffect(evidence)}, ${held}, ${too}: ${divergence.expected} would be right${movesText(moves)}`;
      return sentence(text, { step: index, slot: moves?.at(0)?.slot });
    }
    default:
      return moment.place satisfies never;
  }
};

interface TableMove {
  readonly slot: number;
  /** How many more tables the slot has than before. */
  readonly more: number;
}

/** The slots that got or lost tables in this step; undefined if they cannot be compared. */
const tableMoves = ({ moment, before }: Evidence): readonly TableMove[] | undefined => {
  const earlier = before?.shadow?.slots;
  if (moment.shadow === undefined || earlier === undefined) return undefined;
  return moment.shadow.slots
    .map(({ slot, tables }) => ({ slot, more: tables.length - earlier[slot].tables.length }))
    .filter(({ more }) => more !== 0);
};

const movesText = (moves: readonly TableMove[] | undefined): string => {
  if (moves === undefined) return '';
  const texts = moves.map(({ slot, more }) => {
    return `slot ${slot} ${more > 0 ? 'got' : 'lost'} ${plural(Math.abs(more), 'table')}`;
  });
  return texts.length === 0 ? '; no slot got or lost any' : `; ${listText(texts)}`;
};

/** `table-accounting`: a subject whose count of tables is not that of the tables it shows. */
export const explainMiscountedTables: Explainer = ({ divergence: { expected, actual }, here, index }) =>
  sentence(`after ${here}, the subject counts ${expected} tables and shows ${actual} host pages allocated for them`, {
    step: index,
  });

/** `table-accounting`: a table that no root leads to. */
export const explainLostTable: Explainer = (evidence) => {
  const { expected, actual } = evidence.divergence;
  return sentence(
    `after ${hereWithEffect(evidence)}, ${expected} tables are allocated and only ${actual} can be reached from the slots' roots`,
    { step: evidence.index },
  );
};

/** `table-accounting`: a table that was freed or is linked twice. */
const aboutTable =
  (textOf: (name: string, evidence: Evidence) => string): Explainer =>
  (evidence) => {
    const { location, guest, index } = evidence;
    const levels = pagingLevels(guest.config.paging);
    for (const { slot, tables } of shadowOf(evidence)?.slots ?? []) {
      const table = tables.find(({ frame }) => frame === location.frame);
      if (table === undefined) continue;
      const { frame, depth, vaddr } = table;
      const name = `slot ${slot}'s ${levels[depth].name} table for ${formatHex(vaddr)} (host page ${frame})`;
      return sentence(textOf(name, evidence), { slot, vaddr, step: index });
    }
    return undefined;
  };

export const explainFreedTable = aboutTable(
  (name, { here }) =>
    `${here} freed ${name} and left the entry that leads to it: whatever that page holds next, the CPU will take for the guest's table`,
);

export const explainSharedTable = aboutTable(
  (name, evidence) => `after ${hereWithEffect(evidence)}, ${name} is linked in two places`,
);

/** `teardown`: a page of the guest that is still held. */
export const explainHeldPage: Explainer = (evidence) => {
  const { page } = evidence.location;
  if (page === undefined) return undefined;
  const shadow = shadowBefore(evidence);
  const leaf = leavesTo(shadow, page).at(0);
  const unmapped = shadow === undefined ? '' : ', and no shadow leaf mapped it before';
  const by = leaf === undefined ? unmapped : `, which ${leafText(leaf)} took`;
  const held = plural(evidence.moment.subjectCounts?.get(page) ?? 0, 'reference');
  return sentence(`destroy must give every page back; page ${page} still has ${held}${by}`, { page });
};

/** `teardown`: pages of the Switcher that are still held. */
export const explainHeldSwitcher: Explainer = ({ divergence }) =>
  sentence(`destroy must give the Switcher's pages back; it left ${divergence.actual}`);

/** `switcher`: a page of it that the current slot does not map as it must. */
export const explainSwitcherPage: Explainer = ({ divergence: { field, expected, actual }, location, here, guest }) => {
  const { slot, vaddr } = location;
  if (slot === undefined || vaddr === undefined) return undefined;
  const ofCpu = isOwnPage(guest, vaddr) ? ` of CPU ${guest.cpu}` : '';
  return sentence(
    `after ${here}, the ${field}${ofCpu} must be ${expected} at ${formatHex(vaddr)} in slot ${slot}, the current one; it is ${actual}`,
    { slot, vaddr },
  );
};

/** One of the two pages of the CPU that the guest runs on. */
const isOwnPage = ({ config, cpu }: Evidence['guest'], vaddr: number): boolean => {
  const registers = switcherRegistersAddress(config.paging, cpu);
  return vaddr === registers || vaddr === registers + 4096;
};

/** `switcher`: too many or too few slots that map a page of it. */
export const explainSwitcherReferences: Explainer = (evidence) => {
  const count = switcherCount(evidence);
  if (count === undefined) return undefined;
  const { name, cpu, expected, actual } = count;
  const few = actual < expected;
  const [one, many] = name === 'text' ? ['slot', 'slots'] : ['leaf', 'leaves'];
  const holders = actual < 2 ? `${actual || 'no'} ${one} maps` : `${actual} ${many} map`;
  const page = `the Switcher's ${name} page${cpu === undefined ? '' : ` of CPU ${cpu}`}`;
  const due = expected === 0 ? 'none may' : few ? `${expected} must` : `only ${expected} may`;
  const missing = name === 'text' ? withoutText : withoutPage;
  const detail = few ? missing(evidence, name) : withPages(evidence, name, cpu);
  const text = `after ${hereWithEffect(evidence)}, ${holders} ${page}, and ${due}${detail?.text ?? ''}`;
  return sentence(text, { step: evidence.index, slot: detail?.focus.slot });
};

type SwitcherPage = 'text' | 'registers' | 'state';

interface SwitcherCount {
  readonly name: SwitcherPage;
  readonly cpu?: number;
  readonly expected: number;
  readonly actual: number;
}

/** The first count in which the two sides differ. */
const switcherCount = ({ moment }: Evidence): SwitcherCount | undefined => {
  const expected = moment.model.switcher;
  const actual = moment.subject.switcher;
  if (expected === undefined || actual === undefined) return undefined;
  for (const name of ['text', 'registers'] as const) {
    if (expected[name] !== actual[name]) return { name, expected: expected[name], actual: actual[name] };
  }
  const cpu = expected.state.findIndex((count, each) => count !== actual.state[each]);
  return { name: 'state', cpu, expected: expected.state[cpu], actual: actual.state[cpu] ?? 0 };
};

/** A page that this step took out of a slot. */
const withoutPage = (evidence: Evidence, name: SwitcherPage): Sentence | undefined => {
  const lost = gone(evidence).find(({ target }) => target === `switcher-${name}`);
  return lost && sentence(`: the leaf for ${leafPlace(lost)} went in this step`, { slot: lost.slot });
};

/** A slot that has a root page and no text page, which every root page needs. */
const withoutText = (evidence: Evidence): Sentence | undefined => {
  const window = evidence.guest.sizes.switcherAddress;
  const shadow = shadowOf(evidence);
  if (shadow === undefined) return undefined;
  const rooted = shadow.slots.filter(({ blank }) => !blank);
  const bare = rooted.find((slot) => leafIn(slot, window) === undefined);
  if (bare === undefined) {
    const names = listText(rooted.map(({ slot }) => String(slot)));
    return sentence(`: ${rooted.length === 1 ? `only slot ${names} has` : `only slots ${names} have`} a root page`);
  }
  const { slot } = bare;
  const current = slot === shadow.currentSlot ? ', the current one,' : '';
  const lost = evidence.lost.get(leafKey({ slot, vaddr: window }));
  const since = lost === undefined ? '' : `, which ${lost === evidence.index ? 'this step' : `step ${lost}`} took away`;
  return sentence(`: slot ${slot}${current} has no leaf for ${formatHex(window)}${since}`, { slot });
};

/** A page that is still mapped in another slot than the current one, or for another CPU than the guest's. */
const withPages = (evidence: Evidence, name: SwitcherPage, cpu: number | undefined): Sentence | undefined => {
  const { guest, index } = evidence;
  const leaves = leavesWhere(
    shadowOf(evidence),
    ({ target, page }) => target === `switcher-${name}` && (cpu === undefined || page === cpu),
  );
  const current = currentSlot(evidence)?.slot;
  const stale = leaves.find(({ slot, vaddr }) => slot !== current || (name !== 'text' && !isOwnPage(guest, vaddr)));
  const shown = stale ?? leaves.at(0);
  if (shown === undefined) return undefined;
  const since = shown.since === undefined || shown.since === index ? '' : `, since step ${shown.since}`;
  const moved = stale !== undefined && stale.slot === current ? `; the guest runs on CPU ${guest.cpu}` : '';
  const text = `: slot ${shown.slot} still maps it at ${formatHex(shown.vaddr)}${since}${moved}`;
  return sentence(text, { slot: shown.slot });
};
