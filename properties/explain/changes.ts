/** What a moment changed, each in a short clause. */

import type { Profile } from '../profile.js';
import { describeEntry, formatHex } from '../formats/index.js';
import type { MachineConfig, Program, Step } from '../../model/vocabulary/index.js';
import { pagingSizes } from '../../model/vocabulary/index.js';
import type { RerunMoment } from './rerun.js';
import type { Roles } from './meaning.js';
import { goneLeaves } from './shadow-snapshot.js';
import type { LeafSeen, ShadowSnapshot, SlotSeen } from './shadow-snapshot.js';
import { leafText, plural, rightsText, targetText } from './words.js';

/** Leaves of a slot that are listed one by one. */
const MOST_LEAVES = 4;

export const changesOf = (
  moment: RerunMoment,
  before: RerunMoment | undefined,
  { machine, steps }: Program,
  roles: Roles,
  profile: Profile,
): readonly string[] => {
  const { place, shadow, subject } = moment;
  const step = place.kind === 'step' ? steps[place.index] : undefined;
  const dead = before !== undefined && isOver(before) && isOver(moment);
  const kind = subject.outcome.kind;
  const ended = !dead && (kind === 'killed' || kind === 'host-bug' || kind === 'no-memory') ? [ENDS[kind]] : [];
  const inside =
    shadow === undefined
      ? referenceChanges(moment, before)
      : shadowChanges(shadow, before?.shadow, pagingSizes(machine.paging).switcherAddress);
  const stores = place.kind === 'end' || isOver(moment) ? [] : storeChanges(moment, machine, roles, profile);
  return [...ended, ...(step === undefined || dead ? [] : noted(step, machine, roles)), ...inside, ...stores];
};

const ENDS = {
  killed: 'the guest is killed',
  'host-bug': 'the hypervisor breaks',
  'no-memory': 'there is no machine',
} as const;

const isOver = ({ subject }: RerunMoment): boolean =>
  ['killed', 'dead', 'host-bug', 'halted', 'absent'].includes(subject.outcome.kind);

/** What a step changes outside the shadow tables. */
const noted = (step: Step, machine: MachineConfig, roles: Roles): readonly string[] => {
  switch (step.op) {
    case 'store':
      return [`${roles.get(step.paddr) ?? `word ${formatHex(step.paddr)}`}: ${describeEntry(step.value, machine)}`];
    case 'init':
      return [`kernel from ${formatHex(step.kernelAddress)}`];
    case 'set-stack':
      return [`${plural(step.pages, 'stack page')} below ${formatHex(step.esp)}`];
    case 'migrate':
      return [`host CPU ${step.cpu}`];
    case 'fail-alloc':
      return [`${plural(step.count, 'allocation')} to fail`];
    case 'protect':
      return [`page ${step.page}: ${step.access}`];
    case 'new-pgtable':
      return [`runs on root ${formatHex(step.root)}`];
    default:
      return [];
  }
};

const referenceChanges = ({ subjectCounts }: RerunMoment, before: RerunMoment | undefined): readonly string[] => {
  if (subjectCounts === undefined) return [];
  const earlier = before?.subjectCounts;
  const pages = new Set([...(earlier?.keys() ?? []), ...subjectCounts.keys()]);
  return [...pages]
    .filter((page) => (earlier?.get(page) ?? 0) !== (subjectCounts.get(page) ?? 0))
    .toSorted((one, other) => one - other)
    .slice(0, MOST_LEAVES)
    .map((page) => `page ${page} has ${plural(subjectCounts.get(page) ?? 0, 'reference')}`);
};

const storeChanges = (
  { subject }: RerunMoment,
  machine: MachineConfig,
  roles: Roles,
  profile: Profile,
): readonly string[] =>
  (subject.stores ?? []).slice(0, MOST_LEAVES).map(({ paddr, value }) => {
    const role = roles.get(paddr) ?? `word ${formatHex(paddr)}`;
    return `${role}: ${describeEntry(value, machine)} (written by the ${profile === 'lguest' ? 'hypervisor' : 'CPU'})`;
  });

const shadowChanges = (now: ShadowSnapshot, before: ShadowSnapshot | undefined, window: number): readonly string[] => {
  const turned =
    before?.currentSlot === now.currentSlot
      ? []
      : [`slot ${now.currentSlot} is ${before ? 'now ' : ''}the current one`];
  return [...turned, ...now.slots.flatMap((slot) => slotChanges(slot, before?.slots[slot.slot], window))];
};

const slotChanges = (now: SlotSeen, before: SlotSeen | undefined, window: number): readonly string[] => {
  const clauses: string[] = [];
  if (!now.blank && before?.blank !== false) clauses.push(`slot ${now.slot} gets a root page`);
  if (now.blank && before?.blank === false) clauses.push(`slot ${now.slot} loses its root page`);
  if (now.root !== before?.root && now.root !== undefined)
    clauses.push(`slot ${now.slot} shadows root ${formatHex(now.root)}`);
  const earlier = before?.leaves;
  const came = [...now.leaves.values()].filter((leaf) => earlier?.get(leaf.vaddr) !== leaf);
  const gone = goneLeaves(now, before);
  const below = ({ vaddr }: LeafSeen): boolean => vaddr < window;
  clauses.push(...few(came.filter(below), (leaf) => `leaf ${leafText(leaf)}`, `more leaves in slot ${now.slot}`));
  clauses.push(
    ...few(gone.filter(below), (leaf) => `no leaf for ${leafWas(leaf)}`, `more leaves gone from slot ${now.slot}`),
  );
  const inWindow = came.filter((leaf) => !below(leaf));
  if (inWindow.length > 0) clauses.push(`Switcher: ${plural(inWindow.length, 'page')} mapped in slot ${now.slot}`);
  const lost = gone.filter((leaf) => !below(leaf));
  if (lost.length > 0) clauses.push(`Switcher: ${plural(lost.length, 'page')} unmapped in slot ${now.slot}`);
  return clauses;
};

const leafWas = (leaf: LeafSeen): string =>
  `${formatHex(leaf.vaddr)} any more (was ${targetText(leaf)}, ${rightsText(leaf)}) in slot ${leaf.slot}`;

const few = (leaves: readonly LeafSeen[], describe: (leaf: LeafSeen) => string, rest: string): readonly string[] => {
  const shown = leaves.slice(0, MOST_LEAVES).map(describe);
  return leaves.length > MOST_LEAVES ? [...shown, `${leaves.length - MOST_LEAVES} ${rest}`] : shown;
};
