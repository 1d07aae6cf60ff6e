/** Explanations of subjects that do not show everything: what they hide is unknown, and nothing is claimed of it. */

import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Observable } from '../../model/vocabulary/index.js';
import { OBSERVABLES } from '../../model/vocabulary/index.js';
import { observingSubject } from '../../test-support/observing-subject.js';
import { parseCounterexample } from '../corpus/counterexample.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { MODEL, ownMachine } from '../subjects/subject-names.js';
import { explainFinding } from './explain.js';
import type { Explanation } from './explanation.js';

const CORPUS = new URL('../../corpus/', import.meta.url);
const ENTRIES = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.json'))
  .toSorted();

/** Undefined if the subject shows nothing of the finding. */
const explanationOf = async (
  name: string,
  observes: readonly Observable[],
  side: 'subject' | 'model' = 'subject',
): Promise<Explanation | undefined> => {
  const { case: kept, subject: standing } = parseCounterexample(readFileSync(new URL(name, CORPUS), 'utf8'), name);
  const machine = ownMachine(standing, 'test')!;
  const other = observingSubject(() => (side === 'subject' ? machine : MODEL).create(), observes);
  const sides = side === 'subject' ? { model: MODEL, subject: other } : { model: other, subject: machine };
  return await explainFinding(kept, { ...sides, invariants: INVARIANTS });
};

describe.each(ENTRIES)('%s', (name) => {
  test('of a subject that shows outcomes alone says nothing of its tables, references and stores', async () => {
    const explanation = await explanationOf(name, ['outcome']);
    if (explanation === undefined) return;
    const { sentence, frames, steps, notes } = explanation;
    expect(sentence).not.toMatch(/leaf|leaves|slots? \d|tables? (is|are) held|has no reference|of the 0/);
    for (const { counts, references, stores, guest, shadow, changes } of frames) {
      for (const { actual, differs, divergent } of counts)
        expect([actual, differs, divergent]).toEqual(['unknown', false, false]);
      for (const { actual, differs } of references) expect([actual, differs]).toEqual([undefined, false]);
      for (const { actualText, differs } of stores) expect([actualText, differs]).toEqual(['unknown', false]);
      for (const { slots } of guest.trees) expect(slots).toBeUndefined();
      expect(shadow).toBeUndefined();
      expect(changes.join()).not.toMatch(/leaf|slot|reference|by the hypervisor/);
    }
    expect(steps.map(({ setsUp }) => setsUp).join()).not.toMatch(/leaf|slot|reference|by the hypervisor/);
    expect(notes.join(' ')).toContain(
      'The subject does not show these, so they are unknown: references on guest pages,',
    );
  });

  test('of a subject that shows no shadow says nothing of its leaves', async () => {
    const explanation = await explanationOf(name, OBSERVABLES.slice(0, -1));
    if (explanation === undefined) return;
    expect(explanation.sentence).not.toMatch(/shadow lea|no leaf|the leaf|slots? \d|of the 0/);
    for (const { guest, shadow } of explanation.frames) {
      expect([shadow, ...guest.trees.map(({ slots }) => slots)]).toEqual(
        expect.not.arrayContaining([expect.anything()]),
      );
    }
  });
});

test('a reported shadow is explained as the machine’s own', async () => {
  const name = 'kernel-broadcast--set-pte--b7945549.json';
  const { case: kept, subject } = parseCounterexample(readFileSync(new URL(name, CORPUS), 'utf8'), name);
  const own = await explainFinding(kept, {
    model: MODEL,
    subject: ownMachine(subject, 'test')!,
    invariants: INVARIANTS,
  });
  const reported = await explanationOf(name, OBSERVABLES);
  expect(reported).toEqual({ ...own, subject: 'exec:mine' });
});

test('nothing is shown of the shadow once the guest is dead', async () => {
  const explanation = await explanationOf('host-intact--destroy--01fb9367.json', OBSERVABLES);
  const shown = explanation!.frames.map((frame) => [frame.counts.length > 0, frame.shadow !== undefined]);
  expect(shown).toContainEqual([false, false]);
  for (const [alive, shadow] of shown) expect(shadow).toBe(alive);
  expect(explanation!.sentence).not.toContain('in place');
});

test('of a reference that shows outcomes alone, what it hides is unknown', async () => {
  const explanation = await explanationOf('translation--access--f416eec0.json', ['outcome'], 'model');
  for (const { counts, references, stores } of explanation!.frames) {
    for (const { expected, differs } of [...counts, ...references])
      expect([expected ?? 'unknown', differs]).toEqual(['unknown', false]);
    for (const { expectedText } of stores) expect(expectedText).toBe('unknown');
  }
  expect(explanation!.notes.join(' ')).toContain('The reference does not show these, so they are unknown');
});
