/** The figures of guided campaigns as a person reads them. */

import Table from 'cli-table3';
import { formatCount } from '../../terminal/numbers.js';
import type { GuidedFigures } from './figures.js';
import { SHARES, bestShare, geometricMean, ratioOf } from './figures.js';

export const guidedReport = (figures: GuidedFigures): string =>
  [
    epochLine(figures),
    reached(figures),
    defects(figures),
    means(figures),
    `--guided ${bestShare(figures)} is what this says`,
  ].join('\n');

const epochLine = ({ epoch, reachable }: GuidedFigures): string => {
  const { steps, seeds, cells, seconds } = epoch;
  const [run, distil] = seconds.map((each) => each.toFixed(1));
  const reach = `${formatCount(cells)} of ${formatCount(reachable)} situations`;
  return `pool: ${formatCount(steps)} steps reached ${reach} in ${run} s; ${seeds} seeds distilled in ${distil} s`;
};

const reached = ({ reach, seconds }: GuidedFigures): string => {
  const table = tableOf(['situations reached, mean']);
  for (const { steps, reached: all, beyond } of reach) {
    table.push([`after ${formatCount(steps)} steps`, ...all.map(decimal)]);
    table.push(['  which the pool’s campaign had not', ...beyond.map(decimal)]);
  }
  table.push(['seconds for a million steps, median', ...seconds.map((each) => each.toFixed(2))]);
  return table.toString();
};

const defects = ({ defects: rows, seeds }: GuidedFigures): string => {
  const table = tableOf([`median steps to the first catch, ${seeds} seeds`]);
  for (const { defect, medians } of rows.toSorted((one, other) => other.medians[0] - one.medians[0])) {
    table.push([defect, ...medians.map(stepsText)]);
  }
  return table.toString();
};

const means = (figures: GuidedFigures): string => {
  const { defects: rows, mostSteps } = figures;
  const table = tableOf([`all ${rows.length} defects, given up after ${formatCount(mostSteps)}`]);
  const each = <Cell>(of: (share: number) => Cell): readonly Cell[] => SHARES.map((_, share) => of(share));
  table.push(['geometric mean', ...each((share) => formatCount(Math.round(geometricMean(rows, share, mostSteps))))]);
  table.push(['times the steps without', ...each((share) => ratioOf(figures, share).ratio.toFixed(2))]);
  table.push(['  surely between', ...each((share) => boundsText(figures, share))]);
  table.push([
    'not caught',
    ...each((share) => String(rows.filter(({ medians }) => medians[share] === Infinity).length)),
  ]);
  return table.toString();
};

const boundsText = (figures: GuidedFigures, share: number): string => {
  const { least, most } = ratioOf(figures, share);
  return `${least.toFixed(2)} and ${most.toFixed(2)}`;
};

const tableOf = (head: readonly string[]): Table.Table =>
  new Table({
    head: [...head, ...SHARES.map((share) => (share === 0 ? 'without' : `--guided ${share}`))],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });

const decimal = (value: number): string => value.toFixed(1);

const stepsText = (steps: number): string => (steps === Infinity ? 'not caught' : formatCount(steps));
