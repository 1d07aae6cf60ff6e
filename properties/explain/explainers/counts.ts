/** Narrators of invariants that count: references, tables, slots and the Switcher's pages. */

import { formatHex } from '../../formats/index.js';
import { switcherRegistersAddress } from '../../../model/vocabulary/index.js';
import { pagingLevels } from '../table-rows.js';
import type { LeafSeen, SlotSeen } from '../shadow-snapshot.js';
import { leafKey } from '../rerun.js';
import { leafText, listText, plural, targetText } from '../words.js';
import { requiredEffect } from './required-effect.js';
import type { Evidence, Explainer } from './evidence.js';
import { gone, leafIn, leavesTo, shadowOf, slotNow, sentence } from './evidence.js';

/** `step 5 (set-pgd), which takes away …`. */
const hereWithEffect = (evidence: Evidence): string => {
  const effect = requiredEffect(evidence);
  return effect === undefined ? evidence.here : `${evidence.here}, which ${effect}`;
};

const leafPlace = ({ vaddr, slot }: LeafSeen): string => `${formatHex(vaddr)} in slot ${slot}`;

/** `reference-count`: a page that is held for nothing, or let go while it is mapped. */
export const explainReferences: Explainer = (evidence) => {
  const { location, moment, before, index } = evidence;
  const { page } = location;
  if (page === undefined) return undefined;
  const expected = moment.referenceCounts.get(page) ?? 0;
  const actual = moment.subjectCounts.get(page) ?? 0;
  const earlier = before?.subjectCounts.get(page) ?? 0;
  const still = actual === earlier && actual !== 0 ? 'still has' : 'has';
  const due = expected === 0 ? 'and must have none' : `where ${expected} would be right`;
  const held = actual === 0 ? 'no reference' : plural(actual, 'reference');
  const text = `after ${hereWithEffect(evidence)}, page ${page} ${still} ${held} ${due}${mappers(evidence, page, actual)}`;
  const leaf = [...leavesTo(shadowOf(evidence), page), ...formerLeaves(evidence, page)].at(0);
  return sentence(text, { page, step: index, vaddr: leaf?.vaddr, slot: leaf?.slot });
};

/** Each leaf holds one reference: who maps the page now, or did until this step. */
const mappers = (evidence: Evidence, page: number, count: number): string => {
  const shadow = shadowOf(evidence);
  if (shadow === undefined) return '';
  const leaves = leavesTo(shadow, page);
  if (leaves.length === 0) return `; no shadow leaf maps it${formerText(formerLeaves(evidence, page), count)}`;
  const maps = leaves.length === 1 ? 'one shadow leaf maps it' : `${leaves.length} shadow leaves map it`;
  return `; ${maps} (${listText(leaves.map(leafPlace))})`;
};

const formerText = (leaves: readonly LeafSeen[], count: number): string => {
  if (leaves.length === 0) return '';
  const which = leaves.length === 1 ? 'the one' : 'those';
  return ` any more; until this step ${which} for ${listText(leaves.map(leafPlace))} did${count > 0 ? ', and its reference stayed' : ''}`;
};

/** Leaves that led to a page before the step and do not now. */
const formerLeaves = (evidence: Evidence, page: number): readonly LeafSeen[] => {
  const now = new Set(leavesTo(shadowOf(evidence), page).map(leafKey));
  return leavesTo(evidence.before?.shadow, page).filter((leaf) => !now.has(leafKey(leaf)));
};

/** `table-accounting` and `teardown`: host pages that are lost, or used and not held. */
export const explainTables: Explainer = (evidence) => {
  const { divergence, moment, program, index } = evidence;
  const { kind, expected, actual } = divergence;
  if (divergence.place.kind === 'create') {
    if (moment.subject.outcome.kind !== 'no-memory' || moment.subject.tables === 0) return undefined;
    return sentence(
      `creation finds no memory (its allocation ${program.machine.failAllocation} fails) and must hold nothing; ${plural(moment.subject.tables, 'table')} stayed allocated`,
    );
  }
  if (moment.place.kind === 'destroy') return heldAfterDestroy(evidence);
  const linked = linkedTable(evidence);
  if (linked !== undefined) return linked;
  if (kind === 'table-lost') {
    return sentence(
      `after ${hereWithEffect(evidence)}, ${expected} tables are allocated and only ${actual} can be reached from the slots' roots`,
      { step: index },
    );
  }
  const which = tableMoves(evidence);
  const too = kind === 'too-many-tables' ? 'too many' : 'too few';
  const { tables } = moment.subject;
  const text = `after ${hereWithEffect(evidence)}, ${plural(tables, 'shadow table')} ${tables === 1 ? 'is' : 'are'} held, ${too}: ${expected} would be right${which}`;
  return sentence(text, { step: index, slot: changedSlot(evidence) });
};

const changedSlot = ({ moment, before }: Evidence): number | undefined =>
  moment.shadow?.slots.find(({ slot, tables }) => tables.length !== (before?.shadow?.slots[slot].tables.length ?? 0))
    ?.slot;

/** Which slots got or lost tables in this step, on the subject's side. */
const tableMoves = ({ moment, before }: Evidence): string => {
  if (moment.shadow === undefined || before?.shadow === undefined) return '';
  const moves = moment.shadow.slots.flatMap(({ slot, tables }) => {
    const difference = tables.length - (before.shadow?.slots[slot].tables.length ?? 0);
    if (difference === 0) return [];
    return [`slot ${slot} ${difference > 0 ? 'got' : 'lost'} ${plural(Math.abs(difference), 'table')}`];
  });
  return moves.length === 0 ? '; no slot got or lost any' : `; ${listText(moves)}`;
};

const linkedTable = (evidence: Evidence) => {
  const { location, guest, index, divergence } = evidence;
  if (location.frame === undefined) return undefined;
  const levels = pagingLevels(guest.config.paging);
  for (const { slot, tables } of shadowOf(evidence)?.slots ?? []) {
    const table = tables.find(({ frame }) => frame === location.frame);
    if (table === undefined) continue;
    const name = `slot ${slot}'s ${levels[table.depth].name} table for ${formatHex(table.vaddr)} (host page ${table.frame})`;
    const freed = `${evidence.here} freed ${name} and left the entry that leads to it: whatever that page holds next, the CPU will take for the guest's table`;
    const twice = `after ${hereWithEffect(evidence)}, ${name} is linked in two places`;
    return sentence(divergence.kind === 'table-linked-twice' ? twice : freed, {
      slot,
      vaddr: table.vaddr,
      step: index,
    });
  }
  return undefined;
};

const heldAfterDestroy: Explainer = (evidence) => {
  const { divergence, before, location, moment } = evidence;
  if (divergence.kind === 'too-many-tables' || divergence.kind === 'too-few-tables') {
    const count = moment.subject.tables;
    if (count === 0) return undefined;
    const had = before === undefined ? '' : ` of the ${before.subject.tables} that there were`;
    return sentence(`destroy must free every shadow table; ${count}${had} ${count === 1 ? 'is' : 'are'} still held`);
  }
  if (location.page !== undefined) {
    const leaves = leavesTo(before?.shadow, location.page);
    const by = leaves.length === 0 ? ', and no shadow leaf mapped it before' : `, which ${leafText(leaves[0])} took`;
    const count = moment.subjectCounts.get(location.page) ?? 0;
    return sentence(
      `destroy must give every page back; page ${location.page} still has ${plural(count, 'reference')}${by}`,
      {
        page: location.page,
      },
    );
  }
  return sentence(`destroy must give the Switcher's pages back; it left ${divergence.actual}`);
};

/** `pgdir-cache`: which slot a root is found in, or gets. */
export const explainCache: Explainer = (evidence) => {
  const { divergence, location, step, before, here, index } = evidence;
  if (step?.op !== 'new-pgtable') return undefined;
  const { kind, actual } = divergence;
  const rule = hereWithEffect(evidence);
  const root = formatHex(step.root);
  if (kind === 'root-in-two-slots') {
    const shared = slotNow(evidence, location.slot)?.root;
    const other = shadowOf(evidence)?.slots.find((slot) => slot.root === shared)?.slot ?? '?';
    const twice = `slots ${other} and ${location.slot} both pass for shadows of root ${formatHex(shared ?? step.root)}`;
    return sentence(`after ${rule}, ${twice}; a root belongs to one slot alone`, { step: index, slot: location.slot });
  }
  if (kind === 'hit-changed-mappings') {
    const lost = gone(evidence).filter(({ slot }) => slot === location.slot);
    const what =
      lost.length === 0
        ? 'mappings came or went'
        : `${listText(lost.map((leaf) => `the leaf for ${formatHex(leaf.vaddr)} → ${targetText(leaf)}`))} went`;
    return sentence(
      `${here} must find root ${root} cached in slot ${location.slot} and leave its mappings alone; ${what}`,
      {
        step: index,
        slot: location.slot,
        vaddr: lost[0]?.vaddr,
      },
    );
  }
  if (kind === 'wrong-root-shadowed') {
    return sentence(`after ${here}, the current slot must shadow root ${root}; it shadows ${actual}`, {
      step: index,
      slot: location.slot,
    });
  }
  const taken = location.slot;
  if (taken === undefined) return undefined;
  const was = before?.shadow?.slots[taken];
  const state = was === undefined ? '' : slotState(was);
  return sentence(`${rule.replace(', which must', ' must')}; the subject took slot ${taken}${state}`, {
    step: index,
    slot: taken,
  });
};

const slotState = ({ blank, root }: SlotSeen): string => {
  if (blank) return ', a blank one';
  return root === undefined ? '' : `, which shadowed root ${formatHex(root)}`;
};

/** A page of the Switcher that the current slot does not map as it must. */
export const explainSwitcherPage: Explainer = ({ divergence, location, here, guest }) => {
  const { slot, vaddr } = location;
  if (slot === undefined || vaddr === undefined) return undefined;
  const registers = switcherRegistersAddress(guest.config.paging, guest.cpu);
  const ofCpu = vaddr === registers || vaddr === registers + 4096 ? ` of CPU ${guest.cpu}` : '';
  return sentence(
    `after ${here}, the ${divergence.field}${ofCpu} must be ${divergence.expected} at ${formatHex(vaddr)} in slot ${slot}, the current one; it is ${divergence.actual}`,
    { slot, vaddr },
  );
};

/** Too many or too few slots that map a page of the Switcher. */
export const explainSwitcherReferences: Explainer = (evidence) => {
  const { name, cpu, expected, actual } = switcherCount(evidence);
  const page = `the Switcher's ${name} page${cpu === undefined ? '' : ` of CPU ${cpu}`}`;
  const few = actual < expected;
  const holders = holdersText(actual, name === 'text' ? ['slot', 'slots'] : ['leaf', 'leaves']);
  const due = expected === 0 ? 'none may' : few ? `${expected} must` : `only ${expected} may`;
  const text = `after ${hereWithEffect(evidence)}, ${holders} ${actual < 2 ? 'maps' : 'map'} ${page}, and ${due}`;
  const detail = few ? withoutPage(evidence, name) : withPages(evidence, name, cpu);
  return sentence(`${text}${detail.text}`, { step: evidence.index, slot: detail.slot });
};

interface SwitcherCount {
  readonly name: 'text' | 'registers' | 'state';
  readonly cpu: number | undefined;
  readonly expected: number;
  readonly actual: number;
}

/** The first count in which the two sides differ. */
const switcherCount = ({ moment }: Evidence): SwitcherCount => {
  const expected = moment.reference.switcher;
  const actual = moment.subject.switcher;
  for (const name of ['text', 'registers'] as const) {
    if (expected[name] === actual[name]) continue;
    return { name, cpu: undefined, expected: expected[name], actual: actual[name] };
  }
  const cpu = expected.state.findIndex((count, each) => count !== actual.state[each]);
  return { name: 'state', cpu, expected: expected.state[cpu], actual: actual.state[cpu] ?? 0 };
};

const holdersText = (count: number, [one, many]: readonly [string, string]): string => {
  if (count === 0) return `no ${one}`;
  return `${count} ${count === 1 ? one : many}`;
};

interface Detail {
  readonly text: string;
  readonly slot?: number;
}

/** Why too few slots map a page: the text belongs in all of them, the others went if they are missing. */
const withoutPage = (evidence: Evidence, name: SwitcherCount['name']): Detail => {
  if (name === 'text') return withoutText(evidence);
  const lost = gone(evidence).find(({ target }) => target === `switcher-${name}`);
  return lost === undefined
    ? { text: '' }
    : { text: `: the leaf for ${leafPlace(lost)} went in this step`, slot: lost.slot };
};

/** Slots that have a root page and no text page. */
const withoutText = (evidence: Evidence): Detail => {
  const window = evidence.guest.sizes.switcherAddress;
  const shadow = shadowOf(evidence);
  const bare = (shadow?.slots ?? []).filter((slot) => !slot.blank && leafIn(slot, window) === undefined);
  if (shadow === undefined) return { text: '' };
  if (bare.length === 0) {
    const rooted = shadow.slots.filter(({ blank }) => !blank).map(({ slot }) => String(slot));
    return {
      text: `: ${rooted.length === 1 ? `only slot ${rooted[0]} has` : `only slots ${listText(rooted)} have`} a root page`,
    };
  }
  const [{ slot }] = bare;
  const current = slot === shadow.currentSlot ? ', the current one,' : '';
  const lost = evidence.lost.get(leafKey({ slot, vaddr: window }));
  const since = lost === undefined ? '' : `, which ${lost === evidence.index ? 'this step' : `step ${lost}`} took away`;
  return { text: `: slot ${slot}${current} has no leaf for ${formatHex(window)}${since}`, slot };
};

/** Slots other than the current one, or CPUs other than the guest's, whose pages are still mapped. */
const withPages = (evidence: Evidence, name: SwitcherCount['name'], cpu: number | undefined): Detail => {
  const { guest } = evidence;
  const leaves = (shadowOf(evidence)?.slots ?? []).flatMap((slot) =>
    [...slot.leaves.values()].filter(
      ({ target, page }) => target === `switcher-${name}` && (cpu === undefined || page === cpu),
    ),
  );
  const registers = switcherRegistersAddress(guest.config.paging, guest.cpu);
  const current = slotNow(evidence, shadowOf(evidence)?.currentSlot);
  const stale = leaves.find(
    ({ slot, vaddr }) =>
      slot !== current?.slot || (name !== 'text' && vaddr !== registers && vaddr !== registers + 4096),
  );
  const shown = stale ?? leaves.at(0);
  if (shown === undefined) return { text: '' };
  const since = shown.since === undefined || shown.since === evidence.index ? '' : `, since step ${shown.since}`;
  const moved = stale !== undefined && stale.slot === current?.slot ? `; the guest runs on CPU ${guest.cpu}` : '';
  return { text: `: slot ${shown.slot} still maps it at ${formatHex(shown.vaddr)}${since}${moved}`, slot: shown.slot };
};
