import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Program, StoreStep } from '../../model/vocabulary/index.js';
import { guestEntry, paddr } from '../../model/vocabulary/index.js';
import { observingSubject } from '../../test-support/observing-subject.js';
import type { Finding } from '../finding.js';
import { parseCounterexample } from '../corpus/counterexample.js';
import { signatureOf } from '../divergence.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { IMPL, MODEL, ownMachine, subjectNamed } from '../subjects/subject-names.js';
import { withMethods } from '../subjects/subject.js';
import { MOST_FRAMES } from './frames.js';
import { MOST_ROWS } from './table-rows.js';
import type { Frame, GuestRow, Explanation } from './explanation.js';
import { explainFinding } from './explain.js';

const CORPUS = new URL('../../corpus/', import.meta.url);
const ENTRIES = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.json'))
  .toSorted();

const entryNamed = (name: string): Finding => parseCounterexample(readFileSync(new URL(name, CORPUS), 'utf8'), name);

const explanationOf = async ({ case: kept, subject, divergence }: Finding): Promise<Explanation> => {
  const standing = subjectNamed(subject, 'test', { caseTimeout: 1000, allowed: [] });
  const { invariant } = divergence;
  const explanation = await explainFinding(kept, {
    model: MODEL,
    subject: standing,
    invariants: INVARIANTS,
    sought: { invariant },
  });
  if (explanation === undefined) throw new Error('it does not diverge');
  return explanation;
};

const explanationNamed = (name: string): Promise<Explanation> => explanationOf(entryNamed(name));

const withSteps = (entry: Finding, steps: Program['steps']): Finding => ({
  ...entry,
  case: { traffic: 'hostile', program: { machine: entry.case.program.machine, steps } },
});

/** A word that no table of the program uses. */
const idleStore = (value: number): StoreStep => ({ op: 'store', paddr: paddr(0xff0), value: guestEntry(value) });

const lastFrame = ({ frames }: Explanation): Frame => {
  const frame = frames.at(-1);
  if (frame === undefined) throw new Error('there is no frame');
  return frame;
};

describe('the sentence', () => {
  test.each([
    [
      'kernel-broadcast--set-pte--b7945549.json',
      'The shadow leaf for 0xc0000000 in slot 1 still maps page 3 since step 7; the guest unmapped it at step 8 and announced it at step 9 (set-pte), which every slot must follow for a kernel address.',
    ],
    [
      'coherence--access--6f7bb1c1.json',
      "The kernel write to 0x0 at step 7 must fault with code 3 (present, write, kernel), because the guest's PTE at 0x1000 has no RW since step 5; it went through to 0x2000 by the shadow leaf 0x0 → page 2, read-write kernel, in slot 0 since step 4.",
    ],
    [
      'least-privilege--access--e4de0cf3.json',
      "The shadow leaf for 0x0 in slot 0, which the kernel read of 0x0 at step 8 installed, lets the guest write to page 3, but the guest's PMD at 0x1000 has no RW since step 7.",
    ],
    [
      'switcher--new-pgtable--cf3cc328.json',
      "After step 4 (new-pgtable), which must find root 0x0 cached in slot 1, 1 slot maps the Switcher's text page, and 2 must: slot 1, the current one, has no leaf for 0xffe00000, which step 3 took away.",
    ],
    [
      'reference-count--set-pmd--652b160c.json',
      'After step 6 (set-pmd), which must empty every slot and map the Switcher again in the current one alone, page 3 still has 1 reference and must have none; no shadow leaf maps it any more; until this step the one for 0x1ff000 in slot 0 did, and its reference stayed.',
    ],
    [
      'table-accounting--new-pgtable--9473971e.json',
      'After step 3 (new-pgtable), which must take the current slot, 0, for root 0x1000, since there is no memory for a root page of slot 1, 2 shadow tables are held, too few: 3 would be right; slot 0 lost 1 table.',
    ],
    [
      'kill-decision--access--52dd7dfb.json',
      'The kernel read of 0x0 at step 5 must kill the guest ("bad page middle directory entry"), because the guest\'s PMD at 0x1000, stored at step 2, has PSE; it went through to 0x3000 by the shadow leaf 0x0 → page 3, read-only kernel, in slot 0, which it installed.',
    ],
    [
      'accessed-dirty--end--02b86378.json',
      "In the end the subject's guest RAM holds 0x100000000 at 0x8; step 1 left 0x0 there.",
    ],
    [
      'table-accounting--create--aba05450.json',
      'Creation finds no memory (its allocation 2 fails) and must hold nothing; 1 table stayed allocated.',
    ],
    [
      'least-privilege--access--f56f26c7.json',
      'The guest was killed at step 4 ("bad stack page 0xffffffff"), yet the kernel write to 0x0 at step 5 still went through to 0x2000.',
    ],
    [
      'host-intact--destroy--01fb9367.json',
      'Destroy breaks the hypervisor itself (a reference on host page 1 was dropped and nobody held one): step 2, which killed the guest ("failed to get page 0"), gave page 0 back and left the shadow leaf for 0x0 in slot 0, to page 0, in place.',
    ],
  ])('of %s', async (name, sentence) => {
    expect((await explanationNamed(name)).sentence).toBe(sentence);
  });

  test('of a program that ends in two ways names what differs', async () => {
    const { case: kept, subject: name } = entryNamed('determinism--new-pgtable--c8fb9102.json');
    const subject = subjectNamed(name, 'test', { caseTimeout: 1000, allowed: [] });
    const invariants = INVARIANTS.filter(({ id }) => id === 'determinism');
    const sides = { model: MODEL, subject, invariants };
    expect((await explainFinding(kept, { ...sides, sought: { invariant: 'determinism' } }))?.sentence).toBe(
      'Run twice, the same program ends step 1 (new-pgtable) in two ways: tables 3 the first time, 4 the second.',
    );
  });

  test('moves with the step that made it so', async () => {
    const entry = entryNamed('kernel-broadcast--set-pte--b7945549.json');
    const { steps } = entry.case.program;
    const explanation = await explanationOf(withSteps(entry, [idleStore(1), ...steps]));
    expect(explanation.sentence).toContain('page 3 since step 8; the guest unmapped it at step 9');
    expect(explanation.focus).toEqual({ step: 10, vaddr: '0xc0000000', slot: 1, page: 3 });
  });
});

describe.each(ENTRIES)('%s', (name) => {
  test('is explained whole', async () => {
    const entry = entryNamed(name);
    const explanation = await explanationOf(entry);
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    // The plain sentence is for kinds of violation without an explainer.
    expect(explanation.sentence).not.toMatch(/should be "|undefined|\?|NaN|\.\.$/);
    expect(explanation.sentence).toMatch(/^[A-Z].*\.$/);
    expect(explanation.frames.map(({ diverges }) => diverges).indexOf(true)).toBe(explanation.frames.length - 1);
    expect(lastFrame(explanation).place).toEqual(explanation.divergence.place);
    const { place } = explanation.divergence;
    // What was kept is small: every step that it reaches is needed, or gives the finding its name.
    if (place.kind === 'step') expect(explanation.steps[place.index].necessity.kind).not.toBe('superfluous');
  });
});

describe('necessity', () => {
  const entry = entryNamed('translation--access--f416eec0.json');
  const { steps } = entry.case.program;

  test('finds the step that is not needed, and those that are not reached', async () => {
    const explanation = await explanationOf(
      withSteps(entry, [...steps.slice(0, 3), idleStore(7), ...steps.slice(3), idleStore(9)]),
    );
    const kinds = explanation.steps.map(({ necessity }) => necessity.kind);
    expect(kinds[3]).toBe('superfluous');
    expect(kinds.at(-1)).toBe('not-reached');
    expect(kinds.filter((kind) => kind === 'superfluous' || kind === 'not-reached')).toHaveLength(2);
  });

  test('names what diverges instead', async () => {
    const { steps } = await explanationNamed('least-privilege--access--f56f26c7.json');
    const instead = steps.find(({ necessity }) => necessity.kind === 'shapes')?.necessity;
    expect(instead).toEqual({ kind: 'shapes', signature: 'death-is-final | set-stack | killed after the kill' });
  });
});

test('behind long programs no step is left out, which would run all of them again', async () => {
  const { case: kept, subject: name } = entryNamed('translation--access--f416eec0.json');
  const long = { ...kept.program, steps: Array.from({ length: 1000 }, () => idleStore(7)) };
  const before = Array.from({ length: 110 }, () => long);
  let asked = 0;
  const observed = observingSubject(() => ownMachine(name, 'test')!.create(), ['outcome']);
  const subject = withMethods(observed, { answer: (program) => (asked++, observed.answer(program)) });
  const explanation = await explainFinding(kept, { model: MODEL, subject, invariants: INVARIANTS, before });
  expect(explanation?.notes).toContainEqual(expect.stringContaining('too long to try'));
  expect(asked).toBeLessThan(3 * before.length);
});

test('the same finding is explained alike again', async () => {
  const name = 'flush--set-pgd--3a533958.json';
  expect(await explanationNamed(name)).toEqual(await explanationNamed(name));
});

describe('frames', () => {
  test('show what each step sets up', async () => {
    const { steps } = await explanationNamed('kernel-broadcast--set-pte--b7945549.json');
    expect(steps[3].meaning).toBe('the guest sets its PTE for 0xc0000000 (root 0x0) to pfn 3 P');
    expect(steps[7].setsUp).toBe(
      'leaf 0xc0000000 → page 3, read-only kernel, in slot 1; Switcher: 2 pages mapped in slot 1',
    );
  });

  test('mark what changed and what the divergence is about', async () => {
    const explanation = await explanationNamed('kernel-broadcast--set-pte--b7945549.json');
    const { shadow, references } = lastFrame(explanation);
    expect(shadow?.slots[0].gone.map(({ vaddr }) => vaddr)).toEqual(['0xc0000000']);
    const marked = shadow?.slots.flatMap(({ slot, leaves }) =>
      leaves.flatMap((leaf) => (leaf.divergent ? [[slot, leaf.vaddr]] : [])),
    );
    expect(marked).toEqual([[1, '0xc0000000']]);
    expect(references).toEqual([{ page: 3, expected: 0, actual: 1, differs: true, changed: true, divergent: false }]);
  });

  test('hold what a walk needs', async () => {
    const explanation = await explanationNamed('reference-count--set-pmd--652b160c.json');
    const met = walk(explanation, explanation.frames[6], 0x1ff000);
    expect(met.map(({ paddr: at, page }) => [at, page])).toEqual([
      ['0x0', 1],
      ['0x1000', 2],
      ['0x2ff8', 3],
    ]);
  });

  test('of a long program are few, and small', async () => {
    const entry = entryNamed('translation--access--f416eec0.json');
    const { steps } = entry.case.program;
    const idle = Array.from({ length: 4000 }, (_, index) => idleStore(index + 1));
    const explanation = await explanationOf(withSteps(entry, [...idle, ...steps]));
    expect(explanation.frames).toHaveLength(MOST_FRAMES);
    expect(explanation.frames[0].name).toBe('create');
    expect(lastFrame(explanation).name).toBe('step 4009');
    expect(explanation.steps[5].necessity.kind).toBe('not-tried');
    expect(explanation.notes.join(' ')).toMatch(/first 3947 steps are not shown.*shrink it first/);
    expect(JSON.stringify(explanation).length).toBeLessThan(4_000_000);
  });

  test('of a full guest keep the rows that changed', async () => {
    const entry = entryNamed('translation--access--f416eec0.json');
    const { steps } = entry.case.program;
    const full = Array.from({ length: 900 }, (_, index): StoreStep => {
      return { op: 'store', paddr: paddr(0x1000 + 4 * (index + 100)), value: guestEntry(0x2001) };
    });
    const explanation = await explanationOf(withSteps(entry, [...steps.slice(0, 1), ...full, ...steps.slice(1)]));
    const [tree] = lastFrame(explanation).guest.trees;
    const rows = tree.tables.flatMap((table) => table.rows);
    expect(rows).toHaveLength(MOST_ROWS);
    expect(tree.leftOut).toBe(903 - MOST_ROWS);
    expect(rows.map(({ paddr: at }) => at)).toContain('0x1000');
  });
});

/** As a viewer follows an address, from the frame alone. */
const walk = ({ levels }: Explanation, { guest }: Frame, address: number): readonly GuestRow[] => {
  const tree = guest.trees.find(({ current }) => current);
  const met: GuestRow[] = [];
  let table = tree?.root;
  for (const [level, { shift, entries }] of levels.entries()) {
    const found = tree?.tables
      .filter((each) => each.level === level && each.paddr === table)
      .flatMap(({ rows }) => rows)
      .find(({ index }) => index === Math.floor(address / 2 ** shift) % entries);
    if (found === undefined) break;
    met.push(found);
    table = found.next;
  }
  return met;
};

test('a program that does not diverge has no explanation', async () => {
  const { case: kept } = entryNamed('translation--access--f416eec0.json');
  expect(await explainFinding(kept, { model: MODEL, subject: IMPL, invariants: INVARIANTS })).toBeUndefined();
});

test('the explanation is of what diverges now, not of what was recorded', async () => {
  const entry = entryNamed('coherence--access--6f7bb1c1.json');
  const without = INVARIANTS.filter(({ id }) => id !== 'coherence');
  const subject = subjectNamed(entry.subject, 'test', { caseTimeout: 1000, allowed: [] });
  const explanation = await explainFinding(entry.case, { model: MODEL, subject, invariants: without });
  expect(explanation?.signature).not.toBe(signatureOf(entry.divergence));
  expect(explanation?.invariant.id).toBe('translation');
});
