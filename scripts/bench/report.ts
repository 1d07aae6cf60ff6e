/** Figures as a person reads them. */

import Table from 'cli-table3';
import { compactCount } from '../terminal/numbers.js';
import type { Unit } from './figures.js';
import type { Change, GroupResult } from './results.js';
import type { Target, Verdict } from './targets.js';

export const groupTable = ({ title, figures }: GroupResult): string => {
  const table = tableOf([title, 'median', 'spread', 'a second'], 3);
  for (const { title, unit, median, least, most } of figures) {
    const spread = least === most ? '' : `${amount(least, unit)} – ${amount(most, unit)}`;
    table.push([title, withUnit(median, unit), spread, unit === 'ns' ? compactCount(1e9 / median) : '']);
  }
  return table.toString();
};

export const verdictTable = (title: string, verdicts: readonly Verdict[]): string => {
  const table = tableOf([title, 'wanted', 'measured', ''], 2);
  for (const { target, measured, met } of verdicts) {
    const { unit, median } = measured;
    table.push([target.title, boundText(target, unit), withUnit(median, unit), met ? 'met' : 'MISSED']);
  }
  return table.toString();
};

/** The clear ones alone: the rest is noise. */
export const changeTable = (changes: readonly Change[]): string => {
  const clear = changes.filter((change) => change.clear);
  if (clear.length === 0) return `none of ${changes.length} figures differs from the baseline by more than the spread`;
  const table = tableOf(['differs from the baseline by more than the spread', 'before', 'now', 'ratio'], 3);
  for (const { figure, before, ratio } of clear) {
    table.push([
      figure.title,
      withUnit(before.median, before.unit),
      withUnit(figure.median, figure.unit),
      ratio.toFixed(2),
    ]);
  }
  return table.toString();
};

const tableOf = (head: string[], numbers: number): Table.Table =>
  new Table({
    head,
    colAligns: head.map((_, index) => (index > 0 && index <= numbers ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });

const boundText = ({ least, most }: Target, unit: Unit): string =>
  least === undefined ? `≤ ${withUnit(most!, unit)}` : `≥ ${withUnit(least, unit)}`;

const withUnit = (value: number, unit: Unit): string =>
  unit === 'times' ? `${amount(value, unit)}×` : `${amount(value, unit)} ${unit}`;

const amount = (value: number, unit: Unit): string => {
  if (unit === 'steps/s') return compactCount(value);
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
};
