import { expect, test } from 'vitest';
import { lguestDefects } from '../impl/defects/catalogue.js';
import { deviationsMissed } from '../test-support/lguest-hunt.js';
import { implWith } from './subjects/subject-names.js';

test('one run finds every deviation of lguest, without being told any', async () => {
  expect(await deviationsMissed(implWith('impl:lguest', lguestDefects()), 6_000)).toEqual([]);
});
