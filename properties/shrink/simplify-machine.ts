/** A smaller machine: fewer pages, CPUs and devices, an ordinary creation, and lower slots. */

import type { Program, Step } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import { entryOnPage, pageOf } from '../entry-bits.js';
import { withoutFeature } from '../generators/valid-program.js';
import { mapEntries, mapSteps, pagesUsed, withMachine } from './rewrite.js';
import type { Pass } from './search.js';

/** Ordinary sizes of RAM, in pages. */
const USUAL_PAGES = [1, 2, 4, 8, 16, 32, 64, 256];

export const simplifyMachine: Pass = function* (smallest) {
  yield* simplifyCpus(smallest);
  yield* simplifyCreation(smallest);
  yield* simplifyDevices(smallest);
  yield* simplifyRam(smallest);
  yield* simplifyFeatures(smallest);
};

const simplifyCpus: Pass = function* (smallest) {
  if (yield withCpus(smallest(), 1, () => 0)) return;
  const names = [0, ...cpusUsed(smallest())].filter((cpu, index, all) => all.indexOf(cpu) === index);
  if (yield withCpus(smallest(), names.length, (cpu) => names.indexOf(cpu))) return;
  const most = Math.max(...names);
  yield withCpus(smallest(), most + 1, (cpu) => cpu);
  while (yield withCpus(smallest(), smallest().machine.hostCpus - 1, (cpu) => cpu));
};

const cpusUsed = ({ steps }: Program): number[] => steps.flatMap((step) => (step.op === 'migrate' ? [step.cpu] : []));

const withCpus = (program: Program, hostCpus: number, rename: (cpu: number) => number): Program =>
  mapSteps(withMachine(program, { hostCpus }), (step) =>
    step.op === 'migrate' ? { ...step, cpu: rename(step.cpu) } : step,
  );

const simplifyCreation: Pass = function* (smallest) {
  for (const failAllocation of [0, 1, 2, 3]) if (yield withMachine(smallest(), { failAllocation })) break;
  for (const draw of [0, smallest().machine.draw % SLOTS]) if (yield withMachine(smallest(), { draw })) break;
};

const simplifyFeatures: Pass = function* (smallest) {
  const { machine } = smallest();
  for (const feature of machine.features ?? [])
    yield { machine: withoutFeature(smallest().machine, feature), steps: smallest().steps };
};

const simplifyDevices: Pass = function* (smallest) {
  for (const devicePages of [0, 1]) {
    if (yield withMachine(smallest(), { devicePages })) return;
    if (yield withDevices(smallest(), devicePages)) return;
  }
};

/** Entries that named a device page name the first one, and entries past the devices stay past them. */
const withDevices = (program: Program, devicePages: number): Program => {
  const { guestPages, devicePages: before } = program.machine;
  return withPagesMoved(withMachine(program, { devicePages }), (page) => {
    if (page < guestPages) return page;
    return page < guestPages + before ? guestPages : guestPages + devicePages;
  });
};

const simplifyRam: Pass = function* (smallest) {
  for (const guestPages of sizesFor(smallest())) if (yield* ramOf(smallest, guestPages)) break;
  while (yield* ramOf(smallest, smallest().machine.guestPages - 1));
};

/** As many pages as the program's stores or names need, and the usual sizes. */
const sizesFor = (program: Program): number[] => {
  const { guestPages } = program.machine;
  const stored = program.steps.flatMap((step) => (step.op === 'store' ? [Math.floor(step.paddr / 4096)] : []));
  const named = pagesUsed(program).filter((page) => page < guestPages);
  const needed = [stored, named].map((pages) => Math.max(-1, ...pages) + 1);
  return [...needed, ...USUAL_PAGES].filter((size) => size < guestPages).sort((one, other) => one - other);
};

/** Less RAM; entries that name pages outside it either move along or stay. */
function* ramOf(smallest: () => Program, guestPages: number): Generator<Program, boolean, boolean> {
  const before = smallest().machine.guestPages;
  const smaller = withMachine(smallest(), { guestPages });
  if (yield withPagesMoved(smaller, (page) => (page < before ? page : page - before + guestPages))) return true;
  return yield smaller;
}

const withPagesMoved = (program: Program, move: (page: number) => number): Program =>
  mapSteps(program, (step): Step => mapEntries(step, (entry) => entryOnPage(entry, move(pageOf(entry)))));

/** Lower slots. Only a draw's remainder counts, and only whether slots are the same, not which they are. */
export const permuteSlots: Pass = function* (smallest) {
  for (const names of permutations([...Array(SLOTS).keys()])) {
    yield withSlots(smallest(), names);
    yield withCreationAndSlots(smallest(), names);
  }
};

/** Renames the slots of all steps. The identity still reduces each draw modulo four. */
const withSlots = (program: Program, names: readonly number[]): Program =>
  mapSteps(program, (step) => (step.op === 'new-pgtable' ? { ...step, draw: names[step.draw % SLOTS] } : step));

/** Also renames the slot that creation chose. */
const withCreationAndSlots = (program: Program, names: readonly number[]): Program =>
  withSlots(withMachine(program, { draw: names[program.machine.draw % SLOTS] }), names);

const permutations = (items: readonly number[]): number[][] =>
  items.length <= 1
    ? [[...items]]
    : items.flatMap((first) => permutations(items.filter((each) => each !== first)).map((rest) => [first, ...rest]));
