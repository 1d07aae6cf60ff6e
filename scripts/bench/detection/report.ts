/** The detection figures as a person reads them. */

import Table from 'cli-table3';
import { formatCount } from '../../terminal/numbers.js';
import type { DetectionFigures, DetectionRow } from './figures.js';
import { MIXTURES, MIXTURE_TITLES, geometricMean, groupsOf, targetsOf } from './figures.js';

export const detectionReport = (figures: DetectionFigures): string => {
  const { seeds, mostSteps, rows } = figures;
  const title = `median steps to the first catch over ${seeds} seeds, each given up after ${formatCount(mostSteps)}`;
  return [title, medians(rows), means(figures), ...targetLines(figures)].join('\n');
};

const medians = (rows: readonly DetectionRow[]): string => {
  const table = tableOf(['defect', 'half', ...TITLES]);
  for (const { defect, half, medians } of rows.toSorted((one, other) => other.medians.swarm - one.medians.swarm)) {
    table.push([defect, half, ...MIXTURES.map((mixture) => stepsText(medians[mixture]))]);
  }
  return table.toString();
};

const means = ({ rows, mostSteps }: DetectionFigures): string => {
  const table = tableOf(['geometric mean', 'defects', ...TITLES]);
  for (const [name, members] of groupsOf(rows)) {
    const cells = MIXTURES.map((mixture) => formatCount(Math.round(geometricMean(members, mixture, mostSteps))));
    table.push([name, String(members.length), ...cells]);
  }
  return table.toString();
};

const TITLES = MIXTURES.map((mixture) => MIXTURE_TITLES[mixture]);

const tableOf = (head: string[]): Table.Table =>
  new Table({
    head,
    colAligns: ['left', 'left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });

const stepsText = (steps: number): string => (steps === Infinity ? 'not caught' : formatCount(steps));

const targetLines = (figures: DetectionFigures): readonly string[] =>
  targetsOf(figures).map(
    ({ title, measured, met }) =>
      `${met ? 'met   ' : 'missed'}  ${title}: ${measured < 100 ? measured.toFixed(1) : stepsText(Math.round(measured))}`,
  );
