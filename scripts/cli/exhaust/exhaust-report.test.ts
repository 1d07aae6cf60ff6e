import { expect, test } from 'vitest';
import type { ExhaustOptions } from '../../../properties/exhaust/exhaust.js';
import type { ExploreEnd } from '../../../properties/exhaust/exploration.js';
import { IMPL, MODEL } from '../../../properties/subjects/subject-names.js';
import { capturing } from '../../../test-support/captured-call.js';
import { Session } from '../../terminal/session.js';
import { agreement } from './exhaust-report.js';

const OPTIONS: ExhaustOptions = {
  machine: 'tiny',
  subject: IMPL,
  model: MODEL,
  invariants: [],
  paging: 'both',
  folding: 'names',
  mostSteps: Infinity,
  mostStates: Infinity,
};

const told = (...ends: readonly ExploreEnd['kind'][]): string => {
  const explorations = ends.map((kind, index) => {
    const counts = { states: 10, transitions: 100, depth: index + 3, levels: [10] };
    return { paging: 'pae', kernel: 'above', result: { ...counts, end: { kind } as ExploreEnd } } as const;
  });
  const session = new Session(capturing().surroundings);
  return agreement(OPTIONS, { explorations, found: undefined }, session).replaceAll('\n', ' ');
};

test.each([
  [['closed', 'closed'], 'every program, however long, of these alphabets: 20 states'],
  [['closed', 'states'], 'every program of at most 4 steps'],
  [['memory', 'closed'], 'every program of at most 3 steps'],
  [['depth', 'stopped'], 'every program of at most 3 steps'],
] as const)('explorations that ended as %j agree in %s', (ends, expected) => {
  expect(told(...ends)).toContain(expected);
});
