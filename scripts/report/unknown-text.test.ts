/** What the terminal and the page write of a subject that does not show everything. */

import { readFileSync } from 'node:fs';
import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import type { Observable } from '../../model/vocabulary/index.js';
import { OBSERVABLES } from '../../model/vocabulary/index.js';
import { parseCounterexample } from '../../properties/corpus/counterexample.js';
import type { Explanation } from '../../properties/explain/explanation.js';
import { explainFinding } from '../../properties/explain/explain.js';
import { INVARIANTS } from '../../properties/invariants/invariants.js';
import type { TraceJson } from '../../properties/formats/trace-format.js';
import type { Answer, ExternalSubject } from '../../properties/subjects/subject.js';
import { IMPL, MODEL, ownMachine } from '../../properties/subjects/subject-names.js';
import { observingSubject } from '../../test-support/observing-subject.js';
import { explanationText } from './explanation-text.js';
import { frameView } from './html/step-view.js';
import { replayJson, replayReport } from './replay-text.js';

const NAME = 'translation--access--f416eec0.json';

const explanationOf = async (observes: readonly Observable[]): Promise<Explanation> => {
  const path = new URL(`../../corpus/${NAME}`, import.meta.url);
  const { case: kept, subject: standing } = parseCounterexample(readFileSync(path, 'utf8'), NAME);
  const subject = observingSubject(() => ownMachine(standing, 'test')!.create(), observes);
  return (await explainFinding(kept, { model: MODEL, subject, invariants: INVARIANTS }))!;
};

const terminal = (explanation: Explanation): string =>
  explanationText(explanation, { width: 200, colors: picocolors.createColors(false) }).join('\n');

const page = (explanation: Explanation): string =>
  explanation.frames
    .map((frame) => frameView(frame, explanation, 'finding').text)
    .join('\n')
    .replaceAll(/\s+/g, ' ');

test('the terminal writes "unknown" of what the subject hides', async () => {
  const text = terminal(await explanationOf(['outcome']));
  expect(text).toMatch(/root +0x\w+, the current one, slot unknown/);
  expect(text).toMatch(/page \d+ +expected 1 reference, got unknown/);
  expect(text).toContain('note      The subject does not show these, so they are unknown: references on guest pages,');
  expect(text).not.toMatch(/in no slot|got no|untouched/);
});

test('the page does too', async () => {
  const text = page(await explanationOf(['outcome']));
  expect(text).toContain('the guest runs on it; slot unknown');
  expect(text).toContain('Unknown: the subject does not show them.');
  expect(text).toContain('Nothing that the subject shows changed in this step.');
  expect(text).toContain('This subject does not expose its shadow tables.');
  expect(text).not.toMatch(/in no slot|no guest memory is mapped|<td>0 <\/td>/);
});

test('neither does of a subject that shows everything', async () => {
  const explanation = await explanationOf(OBSERVABLES);
  expect(terminal(explanation) + page(explanation)).not.toMatch(/unknown/i);
});

test('a replay compares and lists what both sides show', async () => {
  const path = new URL(`../../corpus/${NAME}`, import.meta.url);
  const { program } = parseCounterexample(readFileSync(path, 'utf8'), NAME).case;
  const observes: readonly Observable[] = ['outcome', 'tables'];
  const answerFrom = async (subject: ExternalSubject): Promise<Answer> => await subject.answer(program);
  const mine = { name: 'exec:mine', observes, answer: await answerFrom(observingSubject(IMPL.create, observes)) };
  const model = {
    name: 'model',
    observes: OBSERVABLES.slice(0, -1),
    answer: await answerFrom(observingSubject(MODEL.create, OBSERVABLES.slice(0, -1))),
  };
  const replayed = { program, model, subject: mine, asking: [], divergence: undefined };
  const text = replayReport(replayed, { width: 200, colors: picocolors.createColors(false) }).join('\n');
  expect(text).toMatch(/both +created; tables 2$/m);
  expect(text).not.toMatch(/exec|model|switcher/);
  const [reference, subject] = replayJson('x', replayed).map(
    (line) => JSON.parse(line) as { readonly trace: TraceJson },
  );
  expect(Object.keys(reference.trace.created)).toEqual(OBSERVABLES.slice(0, -1));
  expect(subject.trace.created).toEqual({ outcome: { kind: 'created' }, tables: 2 });
});
