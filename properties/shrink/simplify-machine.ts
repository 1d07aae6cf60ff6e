/** A smaller machine: fewer pages, CPUs and devices, and a creation that goes as usual. */

import type { Program, Step } from '../../model/vocabulary/index.js';
import { SLOTS } from '../../model/vocabulary/index.js';
import { entryOnPage, pageOf } from '../entry-bits.js';
import { pagesUsed } from './rename-pages.js';
import { mapEntries, mapSteps, withMachine } from './rewrite.js';
import type { Pass } from './search.js';

/** RAM sizes that a reader does not wonder about, in pages. */
const USUAL_PAGES = [1, 2, 4, 8, 16, 32, 64, 256];

export const simplifyMachine: Pass = function* (smallest) {
  yield* simplifyCpus(smallest);
  yield* simplifyCreation(smallest);
  yield* simplifyDevices(smallest);
  yield* simplifyRam(smallest);
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

const simplifyDevices: Pass = function* (smallest) {
  for (const devicePages of [0, 1]) {
    if (yield withMachine(smallest(), { devicePages })) return;
    if (yield withDevices(smallest(), devicePages)) return;
  }
};

/** What lay on a device lies on its first page, and what lay behind it still does. */
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

/** As many pages as are needed for what is named, and the usual sizes. */
const sizesFor = (program: Program): number[] => {
  const { guestPages } = program.machine;
  const stored = program.steps.flatMap((step) => (step.op === 'store' ? [Math.floor(step.paddr / 4096)] : []));
  const named = pagesUsed(program).filter((page) => page < guestPages);
  const needed = [stored, named].map((pages) => Math.max(-1, ...pages) + 1);
  return [...needed, ...USUAL_PAGES].filter((size) => size < guestPages).sort((one, other) => one - other);
};

/** Less RAM, with what lies behind it either left where it is or moved along. */
function* ramOf(smallest: () => Program, guestPages: number): Generator<Program, boolean, boolean> {
  const before = smallest().machine.guestPages;
  const smaller = withMachine(smallest(), { guestPages });
  if (yield withPagesMoved(smaller, (page) => (page < before ? page : page - before + guestPages))) return true;
  return yield smaller;
}

const withPagesMoved = (program: Program, move: (page: number) => number): Program =>
  mapSteps(program, (step): Step => mapEntries(step, (entry) => entryOnPage(entry, move(pageOf(entry)))));
