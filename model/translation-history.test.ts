/** What a CPU may answer before it is told of a change, and after. */

import { describe, expect, test } from 'vitest';
import { TranslationHistory } from './translation-history.js';
import type { AccessStep, MachineConfig, Paging, Step } from './vocabulary/index.js';
import { guestEntry, paddr, vaddr } from './vocabulary/index.js';
import { flushTlb, machineOf, store } from '../test-support/steps.js';

const KERNEL = vaddr(0xc0000000);
const ROOT = paddr(0x1000);
const ADDRESS = vaddr(0x3000);
const OTHER = vaddr(0x4000);

const machine = (paging: Paging): MachineConfig => machineOf({ paging, guestPages: 64 });

const load: Step = { op: 'new-pgtable', root: ROOT, draw: 0 };
const invalidate = (address = ADDRESS, root = ROOT): Step => ({
  op: 'set-pte',
  root,
  vaddr: address,
  pte: guestEntry(0),
});
const access = (kind: AccessStep['kind'] = 'read', mode: AccessStep['mode'] = 'kernel'): AccessStep => ({
  op: 'access',
  vaddr: ADDRESS,
  kind,
  mode,
});

/** 2-level: entries in the root at 0x1000, tables at 0x2000 and 0x3000. */
const DIRECTORY = 0x1000;
const leafIn = (table: number, address: number = ADDRESS): number => table + (address / 4096) * 4;

/** `answer (origin)` for each allowed answer, each once. */
const allowed = (steps: readonly Step[], last = access(), paging: Paging = '2-level'): readonly string[] => {
  const history = new TranslationHistory(machine(paging));
  for (const step of [{ op: 'init', kernelAddress: KERNEL } as const, ...steps, last]) history.take(step);
  const answers = history.answersTo(last).map(({ outcome, from }) => {
    if (outcome.kind === 'mapped') return `0x${outcome.paddr.toString(16)}, ${from}`;
    return `fault ${outcome.kind === 'fault' ? outcome.code : ''}, ${from}`;
  });
  return [...new Set(answers)].sort();
};

const MAPPED = [store(DIRECTORY, 0x2007), store(leafIn(0x2000), 0x5007), load];

describe('a leaf', () => {
  test('that has not changed has one answer', () => {
    expect(allowed(MAPPED)).toEqual(['0x5000, current entries']);
    expect(allowed([...MAPPED, store(leafIn(0x2000, OTHER), 0x9007)])).toEqual(['0x5000, current entries']);
  });

  test('that has changed unannounced has both, until its page is invalidated', () => {
    const changed = [...MAPPED, store(leafIn(0x2000), 0x6007)];
    expect(allowed(changed)).toEqual(['0x5000, old entries', '0x6000, current entries']);
    expect(allowed([...changed, invalidate(OTHER)])).toEqual(['0x5000, old entries', '0x6000, current entries']);
    expect(allowed([...changed, invalidate(ADDRESS, paddr(0x8000))])).toHaveLength(2);
    expect(allowed([...changed, invalidate()])).toEqual(['0x6000, current entries']);
    expect(allowed([...changed, flushTlb('user')])).toEqual(['0x6000, current entries']);
    expect(allowed([...changed, load])).toEqual(['0x6000, current entries']);
  });

  test('has every value that it had since', () => {
    const changed = [...MAPPED, store(leafIn(0x2000), 0x6007), invalidate()];
    const more = [store(leafIn(0x2000), 0x7007), store(leafIn(0x2000), 0x8007)];
    expect(allowed([...changed, ...more])).toEqual([
      '0x6000, old entries',
      '0x7000, old entries',
      '0x8000, current entries',
    ]);
  });

  test('that is gone may still be there; one that has come is there at once, for what is not present is not cached', () => {
    expect(allowed([...MAPPED, store(leafIn(0x2000), 0)])).toEqual(['0x5000, old entries', 'fault 0, current entries']);
    const absent = [store(DIRECTORY, 0x2007), load, store(leafIn(0x2000), 0x5007)];
    expect(allowed(absent)).toEqual(['0x5000, current entries']);
  });

  test('may have its old rights: more of them, or fewer', () => {
    const readOnly = [...MAPPED, store(leafIn(0x2000), 0x5005)];
    expect(allowed(readOnly, access('write', 'user'))).toEqual(['0x5000, old entries', 'fault 7, current entries']);
    expect(allowed([...readOnly, invalidate(), store(leafIn(0x2000), 0x5007)], access('write', 'user'))).toEqual([
      '0x5000, current entries',
      'fault 7, old entries',
    ]);
  });
});

describe('an upper entry', () => {
  const moved = [...MAPPED, store(leafIn(0x3000), 0x7007), store(DIRECTORY, 0x3007)];

  test('that has changed unannounced leads to both tables', () => {
    expect(allowed(moved)).toEqual(['0x5000, old entries', '0x7000, current entries']);
  });

  test('is held apart from the leaf: an old one and a new leaf make a mixture', () => {
    const mixed = [...moved, store(leafIn(0x2000), 0x9007)];
    expect(allowed(mixed)).toEqual(['0x5000, old entries', '0x7000, current entries', '0x9000, a mixture']);
    // INVLPG of another page drops the entry that is held, and not the translation.
    expect(allowed([...moved, invalidate(OTHER), store(leafIn(0x2000), 0x9007)])).toEqual([
      '0x5000, old entries',
      '0x7000, current entries',
    ]);
    expect(allowed([...mixed, invalidate()])).toEqual(['0x7000, current entries']);
  });

  test('that was old may lead to a leaf that is not there', () => {
    const gone = [...moved, store(leafIn(0x2000), 0)];
    expect(allowed(gone)).toContain('fault 0, a mixture');
  });
});

test('PAE: a top entry is held in a register until CR3 is loaded', () => {
  const at = { top: 0x1000, middle: 0x2000, leaf: 0x3000 + 3 * 8 };
  const mapped = [store(at.top, 0x2001), store(at.middle, 0x3007), store(at.leaf, 0x5007), load];
  const unlinked = [...mapped, store(at.top, 0), invalidate()];
  expect(allowed(unlinked, access(), 'pae')).toEqual(['0x5000, old entries', 'fault 0, current entries']);
  const linked = [...unlinked, load, store(at.top, 0x2001), invalidate()];
  expect(allowed([...unlinked, load], access(), 'pae')).toEqual(['fault 0, current entries']);
  expect(allowed(linked, access(), 'pae')).toEqual(['0x5000, current entries', 'fault 0, old entries']);
});

test('in linear mode there is nothing to hold', () => {
  expect(allowed([])).toEqual([]);
});
