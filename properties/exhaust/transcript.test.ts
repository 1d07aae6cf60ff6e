import { expect, test } from 'vitest';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import { ReferenceMachine } from '../../model/machine.js';
import type { Step } from '../../model/vocabulary/index.js';
import { store } from '../../test-support/steps.js';
import { smallMachine } from './small-machine.js';
import { Transcript } from './transcript.js';

const reference = new ReferenceMachine();
const subject = new ShadowMachine();

const after = (path: readonly Step[]): Transcript => {
  const [machine] = smallMachine('small', 'pae', 'above').creations;
  reference.create(machine);
  subject.create(machine);
  for (const step of path) {
    reference.apply(step);
    subject.apply(step);
  }
  const transcript = new Transcript();
  transcript.take(reference, subject);
  return transcript;
};

test('the same state is told in the same words', () => {
  expect(after([]).equals(after([]))).toBe(true);
  expect(after([store(0, 1)]).equals(after([store(0, 1)]))).toBe(true);
});

test.each([
  ['a number', [store(0, 1)], [store(0, 2)]],
  ['a page', [store(0, 0x1001)], [store(0, 0x2001)]],
  ['an address', [store(0, 1)], [store(8, 1)]],
  ['how many facts there are', [store(0, 1)], [store(0, 1), store(8, 1)]],
])('it sees %s that differs', (_, one, other) => {
  expect(after(one).equals(after(other))).toBe(false);
});

test('it sees which side told something', () => {
  const whole = after([store(0, 1)]);
  const model = after([]);
  model.length = 0;
  reference.tellState(model);
  subject.tellState(model);
  expect(whole.equals(model)).toBe(false);
});

test('it is as long as what it is told', () => {
  const many = Array.from({ length: 500 }, (_, index) => store(8 * index, 1));
  expect(after(many).equals(after(many))).toBe(true);
  expect(after(many).equals(after([...many, store(8 * 499, 0)]))).toBe(false);
});

test('a death is told by its reason', () => {
  const [one, other] = [new Transcript(), new Transcript()];
  one.takeEnd('bad');
  other.takeEnd('bad');
  expect(one.equals(other)).toBe(true);
  other.takeEnd('bat');
  expect(one.equals(other)).toBe(false);
});
