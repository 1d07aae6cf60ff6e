/** How the report of a run ends: with the commands to continue with. */

import { expect, test } from 'vitest';
import { capturing } from '../../test-support/captured-call.js';
import { uniteResults } from '../report/document/build-report.js';
import { Session } from '../terminal/session.js';
import type { Publication } from './publish.js';
import { printReport } from './run-campaign.js';

type Given = Pick<Publication['summary']['findings'][number], 'file' | 'replay'>;

/** The last lines of a run with these findings, of which the last few were cut short. */
const lastLines = (findings: readonly Given[], cutShort = 0): string => {
  const { surroundings, stdout } = capturing();
  const session = new Session(surroundings);
  const publication = {
    summary: { verdict: { kind: 'divergence' }, caseTimeout: 5000, findings },
    report: uniteResults([], session),
    unshrunk: cutShort === 0 ? [] : findings.slice(-cutShort),
  } as unknown as Publication;
  printReport(publication, { directory: undefined, record: undefined as never }, session);
  return stdout.text;
};

const KEPT: Given = { file: 'corpus/one.json', replay: { file: 'corpus/one.json' } };
const OTHER: Given = { file: 'corpus/two.json', replay: { file: 'corpus/two.json' } };
/** A flaky one, which no corpus takes. */
const NOT_KEPT: Given = { replay: { file: 'FILE' } };

test('every finding that was cut short has a command to shrink it further', () => {
  expect(lastLines([KEPT, OTHER], 2)).toMatch(
    /shrink further with:\n.*shrink corpus\/one.json --write\n.*shrink corpus\/two.json --write\n$/,
  );
});

test('a finding that was kept is replayed, although one before it was not', () => {
  expect(lastLines([NOT_KEPT, KEPT])).toMatch(/replay corpus\/one.json\n$/);
});

test('without any that was kept, no file is named', () => {
  expect(lastLines([NOT_KEPT])).toMatch(/no program was saved; to replay one, copy it from above into a file\n$/);
});
