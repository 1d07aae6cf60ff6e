import { describe, expect, test } from 'vitest';
import { KILL, isHostRefusal, killedFor, reasonWithoutNumbers } from './index.js';

const ALL = [
  KILL.beforeInit('set-pte'),
  KILL.badHypercall('set-pmd'),
  KILL.alreadyInitialized,
  KILL.badKernelAddress(0xffc00000),
  KILL.badStackPage(0),
  KILL.badStackPages(3),
  KILL.setPteInSwitcher,
  KILL.badPgdIndex(4, 4),
  KILL.badDirectoryEntry,
  KILL.badMiddleEntry,
  KILL.badTableEntry,
  KILL.badRead(0x4000c, 8),
  KILL.badAddress(0xbff),
  KILL.pageRefused(5),
  KILL.noPteTable,
  KILL.noPmdTable,
];

test.each(ALL)('$reason is read back from its text', (kill) => {
  expect(killedFor(kill.reason)).toEqual(kill);
});

describe('a text', () => {
  test('prints numbers as C does', () => {
    expect([KILL.badStackPage(0).reason, KILL.badRead(0x4000c, 8).reason]).toEqual([
      'bad stack page 0',
      'bad read address 0x4000c len 8',
    ]);
  });

  test.each(['', 'for no reason', 'bad stack page', 'Bad stack page 0x1000'])('"%s" names no cause', (reason) => {
    expect(killedFor(reason)).toMatchObject({ cause: 'unknown', reason });
  });

  test('groups kills by what no number changes', () => {
    expect(reasonWithoutNumbers(KILL.badPgdIndex(4, 4))).toBe('Attempt to set pgd N/N');
    expect(reasonWithoutNumbers(killedFor('no page 0x1f for cpu 2'))).toBe('no page N for cpu N');
  });
});

test('the host refuses pages and memory, nothing else', () => {
  expect(ALL.filter(isHostRefusal).map(({ cause }) => cause)).toEqual(['page-refused', 'no-pte-table', 'no-pmd-table']);
});
