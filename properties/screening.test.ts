import { expect, test } from 'vitest';
import { DEFECTS } from '../impl/defects/catalogue.js';
import { ShadowMachine } from '../impl/shadow-machine.js';
import { ReferenceMachine } from '../model/machine.js';
import type { Machine, Observation, Step } from '../model/vocabulary/index.js';
import { isJudged, programsOf, runOptionsOf } from './campaign/programs.js';
import { keepsContract } from './contract.js';
import type { Divergence } from './divergence.js';
import { SCREEN_DISAGREES, signatureOf } from './divergence.js';
import { parseListing } from './formats/index.js';
import { DEFAULT_PROGRAM_OPTIONS } from './generators/index.js';
import { INVARIANTS } from './invariants/invariants.js';
import { judgeOf } from './judging.js';
import { Pair } from './pair.js';
import { PROFILE_LIMITS } from './profile.js';
import { Screening } from './screening.js';
import { IMPL, MODEL, WALK, implWith } from './subjects/subject-names.js';
import type { Subject } from './subjects/subject.js';
import { Tally } from './tally.js';

const PROGRAMS = programsOf({ ...DEFAULT_PROGRAM_OPTIONS, campaign: 'screening' });

const pairOf = (subject: Subject): Pair => new Pair({ model: MODEL, subject, invariants: INVARIANTS });

const screeningOf = (subject: Machine): Screening =>
  new Screening({ model: new ReferenceMachine(), subject, invariants: INVARIANTS, tally: new Tally(INVARIANTS) });

test('nothing differs between sound machines, and programs and steps are counted as when they are judged', async () => {
  const [screened, judged] = [pairOf(IMPL), pairOf(IMPL)];
  for (let program = 0; program < 300; program++) {
    const { value } = PROGRAMS(program);
    const options = { ...runOptionsOf(program, value), twice: false };
    expect(await screened.run(value.program, { ...options, screened: true })).toBeUndefined();
    await judged.run(value.program, options);
  }
  const { programs, steps, diedEarly } = judged.tally;
  expect(screened.tally).toMatchObject({ programs, steps, diedEarly, judged: 0 });
  expect(judged.tally.judged).toBe(programs);
});

test.each([
  [IMPL, WALK],
  [WALK, IMPL],
  [MODEL, WALK],
])('nothing differs in what neither of two sound machines shows in a profile: %#', async (subject, model) => {
  const { architecture } = PROFILE_LIMITS;
  const programs = programsOf({
    ...DEFAULT_PROGRAM_OPTIONS,
    campaign: 'screening',
    profile: 'architecture',
    guestPages: architecture.guestPages,
  });
  const pair = new Pair({ model, subject, invariants: INVARIANTS, profile: 'architecture' });
  for (let program = 0; program < 20; program++)
    expect(
      await pair.run(programs(program).value.program, { contractKept: true, twice: false, screened: true }),
    ).toBeUndefined();
  expect(pair.tally).toMatchObject({ programs: 20, judged: 0 });
});

test('the shadow of a guest that ends before it announces a store may still hold what the store took away', async () => {
  const { program } = parseListing(
    `2-level, 4 guest pages, 0 device pages, 1 host CPU, draw 0
     init kernel 0xc0000000
     store [0x1000] = 0x2067
     store [0x2000] = 0x3067
     new-pgtable root 0x1000 draw 0
     access 0x0 write user
     store [0x2000] = 0`,
    'listing',
  );
  expect(keepsContract(program)).toBe(true);
  const options = { contractKept: true, twice: false, screened: true };
  expect(await pairOf(IMPL).run(program, options)).toBeUndefined();
});

/** A program in which a screened machine with the defect shows a difference. */
const firstShown = (defect: string, most = 400): Divergence | undefined => {
  const screening = screeningOf(
    implWith(
      defect,
      DEFECTS.filter(({ id }) => id === defect),
    ).create(),
  );
  for (let program = 0; program < most; program++) {
    const { traffic, program: generated } = PROGRAMS(program).value;
    const found = screening.run(generated, traffic === 'coherent');
    if (found !== undefined) return found;
  }
  return undefined;
};

// What no observation shows: the shadow tables show it at the end.
test.each([
  ['dead-guest-still-flushes', 'changed after the kill'],
  ['state-page-writable', 'switcher: another window at the end'],
  ['window-of-one-cpu-too-many', "confinement: stray in the Switcher's window"],
])('%s shows in the audit: %s', (defect, difference) => {
  expect(firstShown(defect)).toMatchObject({ place: { kind: 'end' }, difference });
});

test('another fault code is a difference', () => {
  expect(firstShown('fault-code-from-shadow')).toMatchObject({ place: { kind: 'step' }, field: 'outcome' });
});

/** Sound, but what it shows of its first store is wrong once. */
class Moody extends ShadowMachine {
  private isSulking = true;

  override apply(step: Step): Observation {
    const observation = super.apply(step);
    if (!this.isSulking || step.op !== 'store') return observation;
    this.isSulking = false;
    return { ...observation, tables: observation.tables + 1 };
  }
}

test('a difference that judgement does not confirm is a finding of its own, which a replay that screens shows again', async () => {
  const subject: Subject = { kind: 'in-process', name: 'moody', create: () => new Moody() };
  const storing = PROGRAMS(2).value;
  const pair = pairOf(subject);
  const found = await pair.run(storing.program, { contractKept: false, twice: false, screened: true });
  expect(found).toMatchObject({ invariant: SCREEN_DISAGREES, stage: 'store', field: 'tables' });
  const judging = judgeOf({ model: MODEL, subject, invariants: INVARIANTS }, found);
  expect(signatureOf((await judging.judge(storing))!)).toBe(signatureOf(found!));
  await judging.close();
});

test('the share of programs that are judged is scattered, has those that run twice, and is that of every shard', () => {
  const judged = (share: number, stride: number, first: number): number => {
    let count = 0;
    for (let program = first; program < 64_000; program += stride) if (isJudged(program, share)) count++;
    return count / (64_000 / stride);
  };
  for (const [stride, first] of [
    [1, 0],
    [2, 1],
    [8, 3],
  ] as const)
    expect(judged(1 / 8, stride, first)).toBeCloseTo(1 / 8, 2);
  expect(judged(1, 1, 0)).toBe(1);
  for (let program = 0; program < 10_000; program++)
    if (runOptionsOf(program, PROGRAMS(0).value).twice) expect(isJudged(program, 1 / 1024)).toBe(true);
});
