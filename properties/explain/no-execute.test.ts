import { expect, test } from 'vitest';
import type { Step } from '../../model/vocabulary/index.js';
import { paddr } from '../../model/vocabulary/index.js';
import { init, machineOf, newPgtable, store } from '../../test-support/steps.js';
import { GuestRecord } from '../guest-record.js';
import { ZERO_OBSERVATION } from '../trace-of.js';
import type { Evidence } from './explainers/evidence.js';
import { whereTo } from './explainers/guest-reasons.js';
import { WordHistory } from './rerun.js';
import { pagingLevels, treeOf } from './table-rows.js';

const XD = 0x80000000;
/** Root in page 1, middle table in page 2, table in page 3, data in page 5; no fetch is allowed. */
const STEPS: readonly Step[] = [
  init(),
  store(0x1000, 0x2001),
  store(0x2000, 0x3067, XD),
  store(0x3000, 0x5067, XD),
  newPgtable(0x1000),
];

const guest = new GuestRecord();
const history = new WordHistory();
guest.begin(machineOf({ paging: 'pae', guestPages: 8, features: ['no-execute'] }));
for (const [index, step] of STEPS.entries()) {
  guest.follow(step);
  history.follow(index, step, ZERO_OBSERVATION);
}

test('the tables behind an entry with XD are shown', () => {
  const context = { guest, history, levels: pagingLevels('pae'), step: undefined, location: undefined };
  const { tables } = treeOf(paddr(0x1000), context, undefined);
  expect(tables.flatMap(({ rows }) => rows.map(({ page, bits, next }) => [page, bits.join(' '), next]))).toEqual([
    [2, 'P', '0x2000'],
    [3, 'P RW US A D XD', '0x3000'],
    [5, 'P RW US A D XD', undefined],
  ]);
});

test('XD is no part of the page to which a leaf leads', () => {
  expect(whereTo({ guest, history } as unknown as Evidence, 0)).toBe(
    "the guest's PTE at 0x3000 leads to page 5 since step 3",
  );
});
