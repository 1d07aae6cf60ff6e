/** The figures as a person reads them. */

import Table from 'cli-table3';
import { compactCount, formatCount } from '../report/numbers.js';
import type { Figure, Figures, RatioName } from './figures.js';
import { RATIOS, heapGrowth } from './figures.js';
import type { HeapAt } from './memory.js';
import { WORKLOADS, WORKLOAD_TITLES } from './workloads.js';

export const report = (figures: Figures): string => [speeds(figures), ratios(figures), heap(figures)].join('\n');

const speeds = ({ nanoseconds }: Figures): string => {
  const table = new Table({
    head: ['', 'steps/s', 'ns/step', 'spread of rounds'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const name of WORKLOADS) {
    const { median, least, most } = nanoseconds[name];
    table.push([WORKLOAD_TITLES[name], compactCount(1e9 / median), median.toFixed(0), spread(least, most, 0)]);
  }
  return table.toString();
};

const ratios = ({ ratios }: Figures): string => {
  const table = new Table({
    head: ['taken in the same round', 'ratio', 'spread of rounds'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const [name, { median, least, most }] of Object.entries(ratios) as [RatioName, Figure][]) {
    table.push([RATIOS[name].title, median.toFixed(2), spread(least, most, 2)]);
  }
  return table.toString();
};

const heap = ({ heap: [early, late] }: Figures): string =>
  `heap: ${heapText(early)}, ${heapText(late)} (${heapGrowth([early, late]).toFixed(2)} times)`;

const heapText = ({ steps, bytes }: HeapAt): string =>
  `${(bytes / 2 ** 20).toFixed(1)} MiB after ${formatCount(steps)} steps`;

const spread = (least: number, most: number, digits: number): string =>
  `${least.toFixed(digits)} – ${most.toFixed(digits)}`;
