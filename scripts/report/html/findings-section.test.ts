import { expect, test, vi } from 'vitest';
import { capturing } from '../../../test-support/captured-call.js';
import { parseCounterexample } from '../../../properties/corpus/counterexample.js';
import { readFileSync, readdirSync } from 'node:fs';
import { Session } from '../../terminal/session.js';
import { uniteResults } from '../document/build-report.js';
import { findingsPieces } from './findings-section.js';

const FINDINGS = readdirSync('corpus')
  .filter((name) => name.endsWith('.json'))
  .slice(0, 2)
  .map((name) => {
    const path = `corpus/${name}`;
    return { path, finding: parseCounterexample(readFileSync(path, 'utf8'), path) };
  });

test.each([
  ['a terminal shows which finding is in the making', { isTTY: true, rows: 24, columns: 80 }, 'finding 1 of 2'],
  ['without a terminal nothing is shown', { isTTY: false }, ''],
])('%s', async (_, size, shown) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const { surroundings, stderr } = capturing();
    Object.assign(surroundings.stderr, size);
    const session = new Session(surroundings);
    const results = { directory: '', summary: undefined, coverage: undefined, matrix: undefined, findings: FINDINGS };
    const report = uniteResults([results], session);
    const pieces = findingsPieces(report, { session, caseTimeout: undefined, allowed: [] });
    await pieces.next();
    vi.advanceTimersByTime(60_000);
    if (shown === '') expect(stderr.text).toBe('');
    else expect(stderr.text).toContain(`making the report, ${shown}`);
    await pieces.return(undefined);
  } finally {
    vi.useRealTimers();
  }
});
