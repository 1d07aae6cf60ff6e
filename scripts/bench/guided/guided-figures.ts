/** What programs from a pool are worth: processor time compared with campaigns without. */

import Table from 'cli-table3';
import type { Detected, Hunted, Reached } from './guided-task.js';

/** The shares of a campaign that are made from the pool. The first is the baseline. */
export const SHARES = [0, 0.5] as const;

export interface GuidedFigures {
  readonly defects: readonly (Detected & { readonly defect: string })[];
  /** Situations left after the earlier campaigns. */
  readonly left: number;
  /** Processor time that each share had for them. */
  readonly limit: number;
  readonly reached: readonly Reached[];
  readonly hunts: readonly (Hunted & { readonly bug: string })[];
}

export const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

/** The geometric mean of the ratios of each value to the one beside it, and its standard error as a factor. */
export const ratioOf = (values: readonly number[], others: readonly number[]): { ratio: number; error: number } => {
  const logarithms = values.map((value, index) => Math.log(value / others[index]));
  const middle = mean(logarithms);
  const variance = mean(logarithms.map((each) => (each - middle) ** 2));
  return { ratio: Math.exp(middle), error: Math.exp(Math.sqrt(variance / Math.max(1, logarithms.length - 1))) };
};

export const guidedReport = (figures: GuidedFigures): string =>
  [detected(figures), reached(figures), hunted(figures)].join('\n');

const geometric = (values: readonly number[]): number => Math.exp(mean(values.map(Math.log)));

/** `lists`: for each of `SHARES` a value for each thing that was measured. */
const times = (lists: readonly (readonly number[])[]): readonly string[] =>
  lists.map((list) => {
    const { ratio, error } = ratioOf(list, lists[0]);
    return list === lists[0]
      ? ''
      : `${ratio.toFixed(2)} (${(ratio / error ** 2).toFixed(2)} to ${(ratio * error ** 2).toFixed(2)})`;
  });

const detected = ({ defects }: GuidedFigures): string => {
  const table = tableOf([`first catch of ${defects.length} defects`]);
  for (const unit of ['milliseconds', 'steps'] as const) {
    const lists = SHARES.map((_, share) => defects.map((row) => row[unit][share]));
    table.push([`${unit}, geometric mean`, ...lists.map((list) => geometric(list).toFixed(2))]);
    table.push(['  times those without', ...times(lists)]);
  }
  return table.toString();
};

const reached = ({ reached: seeds, left, limit }: GuidedFigures): string => {
  const table = tableOf([`the last ${left} situations, ${seeds.length} seeds`]);
  for (const part of [0.5, 0.8, 0.9, 1]) {
    const wanted = Math.ceil(left * part);
    const lists = SHARES.map((_, share) => seeds.map(({ arrivals }) => arrivals[share][wanted - 1] ?? limit));
    const missed = SHARES.map((_, share) => seeds.filter(({ arrivals }) => arrivals[share].length < wanted).length);
    table.push([
      `${wanted} of them, seconds`,
      ...lists.map(
        (list, share) => `${(geometric(list) / 1000).toFixed(2)}${missed[share] > 0 ? ` (${missed[share]} not)` : ''}`,
      ),
    ]);
    table.push(['  times that without', ...times(lists)]);
  }
  const counts = SHARES.map((_, share) => mean(seeds.map(({ arrivals }) => arrivals[share].length)).toFixed(1));
  table.push([`within ${limit / 1000} s`, ...counts]);
  return table.toString();
};

const hunted = ({ hunts }: GuidedFigures): string => {
  const table = tableOf(['hidden bugs: hunts won, and seconds']);
  for (const bug of new Set(hunts.map((hunt) => hunt.bug))) {
    const rows = hunts.filter((hunt) => hunt.bug === bug);
    const cells = SHARES.map((_, share) => {
      const won = rows.filter(({ programs }) => programs[share] !== null).length;
      return `${won} of ${rows.length}, ${geometric(rows.map((row) => row.milliseconds[share] / 1000)).toFixed(2)}`;
    });
    table.push([bug, ...cells]);
  }
  const lists = SHARES.map((_, share) => hunts.map((hunt) => hunt.milliseconds[share]));
  const won = SHARES.map((_, share) => String(hunts.filter(({ programs }) => programs[share] !== null).length));
  table.push(['all, hunts won', ...won], ['  times the processor time without', ...times(lists)]);
  return table.toString();
};

const tableOf = (head: readonly string[]): Table.Table =>
  new Table({
    head: [...head, ...SHARES.map((share) => (share === 0 ? 'without' : `--guided ${share}`))],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
