import { describe, expect, test } from 'vitest';
import type { Machine, MachineConfig, Observation, StateSink, Step } from '../../model/vocabulary/index.js';
import { init, machineOf, newPgtable, protect, store } from '../../test-support/steps.js';
import { signatureOf } from '../divergence.js';
import { INVARIANTS } from '../invariants/invariants.js';
import { IMPL, MODEL, subjectNamed } from '../subjects/subject-names.js';
import type { ExploreOptions, ExploreResult } from './exploration.js';
import { explore } from './exploration.js';
import type { Kernel } from './machines/layout.js';
import type { SmallMachineName } from './small-machine.js';
import { smallMachine } from './small-machine.js';
import type { Swap } from './state-key.js';
import type { TransparentMachine } from './transcript.js';

const MACHINE = machineOf({ guestPages: 5, devicePages: 1 });

const telling = (name: string): TransparentMachine => {
  const subject = subjectNamed(name, 'test', { caseTimeout: 1, allowed: [] });
  if (subject.kind === 'in-process') return subject.create() as TransparentMachine;
  throw new Error(`${name} is a command`);
};

const options = (alphabet: readonly Step[], changes: Partial<ExploreOptions> = {}): ExploreOptions => ({
  model: MODEL.create() as TransparentMachine,
  subject: IMPL.create() as TransparentMachine,
  invariants: INVARIANTS,
  machine: { creations: [MACHINE], alphabet, swaps: [] },
  folding: 'names',
  mostSteps: Infinity,
  mostStates: Infinity,
  ...changes,
});

const run = (alphabet: readonly Step[], changes?: Partial<ExploreOptions>): Promise<ExploreResult> =>
  explore(options(alphabet, changes), () => true);

describe('states that can be counted by hand', () => {
  test('a word of two values and a page of two protections: four states, from each all steps', async () => {
    const result = await run([store(0, 1), store(0, 0), protect(3, 'read'), protect(3, 'write')]);
    expect(result).toEqual({ states: 4, transitions: 16, depth: 3, levels: [1, 2, 1], end: { kind: 'closed' } });
  });

  test('two pages that may change places: none, one or both are protected', async () => {
    const alphabet = [protect(3, 'read'), protect(4, 'read'), protect(3, 'write'), protect(4, 'write')];
    const swaps: readonly Swap[] = [{ of: 'page', one: 3, other: 4 }];
    const machine = { creations: [MACHINE], alphabet, swaps };
    expect(await run(alphabet, { machine })).toMatchObject({ states: 3, levels: [1, 1, 1] });
    expect(await run(alphabet, { machine, folding: 'nothing' })).toMatchObject({ states: 4, levels: [1, 2, 1] });
  });

  test('an init, and what a second one leaves of the guest', async () => {
    const result = await run([init()]);
    expect(result).toMatchObject({ states: 3, transitions: 3, levels: [1, 1, 1], end: { kind: 'closed' } });
  });

  test('a root in the slot of creation or in one of the three others', async () => {
    const alphabet = [init(), ...[0, 1, 2, 3].map((draw) => newPgtable(0, draw))];
    // Created; killed before init, or initialized; the root's slots; and killed by a second init.
    expect(await run(alphabet)).toMatchObject({ states: 6, levels: [1, 2, 3], end: { kind: 'closed' } });
    expect(await run(alphabet, { folding: 'nothing' })).toMatchObject({ states: 8, levels: [1, 2, 5] });
  });

  test('creations are states of no steps', async () => {
    const creations = [0, 1, 2, 3].map((failAllocation) => ({ ...MACHINE, failAllocation }));
    const result = await run([], { machine: { creations, alphabet: [], swaps: [] } });
    // Two of them fail and come to the same; the third failure is never met.
    expect(result).toMatchObject({ states: 2, transitions: 0, levels: [2] });
  });
});

describe('an exploration', () => {
  const small = smallMachine('small', '2-level', 'between');

  test('is the same again', async () => {
    const again = (): Promise<ExploreResult> => run(small.alphabet, { machine: small, mostSteps: 3 });
    expect(await again()).toEqual(await again());
  });

  test.each([
    ['small', '2-level', 3],
    ['values', 'pae', 3],
    ['tiny', '2-level', 8],
  ] as const)('of %s is the same in %s for a machine that lets nobody look inside', async (name, paging, mostSteps) => {
    const machine = smallMachine(name, paging, 'between');
    const looking = await run([], { machine, mostSteps });
    // No step is taken back.
    expect(await run([], { machine, mostSteps, subject: closedSubject() })).toEqual(looking);
  });

  test('ends at the depth, at the most states, or when it is told to', async () => {
    const machine = small;
    expect((await run([], { machine, mostSteps: 1 })).end).toEqual({ kind: 'depth' });
    expect(await run([], { machine, mostStates: 100 })).toMatchObject({ depth: 1, end: { kind: 'states' } });
    let left = 10;
    const stopped = await explore(options([], { machine }), () => left-- > 0);
    expect(stopped.end).toEqual({ kind: 'stopped' });
  });
});

describe('a defect', () => {
  const found = async (
    subject: string,
    name: SmallMachineName = 'small',
    kernel: Kernel = 'above',
  ): Promise<string> => {
    const machine = smallMachine(name, '2-level', kernel);
    const { end } = await run([], { machine, subject: telling(subject) });
    if (end.kind !== 'divergence') return end.kind;
    const { program, divergence, shortest } = end.found;
    return `${program.steps.length} ${shortest ? 'shortest' : 'longer'}: ${signatureOf(divergence)}`;
  };

  test.each([
    ['teardown-forgets-tables', '0 shortest: table-accounting | destroy | too many tables'],
    ['leaf-one-past-ram', "1 shortest: confinement | access | stray outside the Switcher's window"],
    ['creation-leaks-root', '0 shortest: table-accounting | create | too many tables'],
    ['victim-ignores-draw', '2 shortest: pgdir-cache | new-pgtable | another victim'],
    ['clear-all-spares-other-slots', '4 shortest: switcher | flush-tlb | text references too many'],
    ['upper-entry-keeps-supervisor', '5 shortest: progress | access | stuck'],
  ])('%s is found in as few steps as possible', async (id, expected) => {
    expect(await found(`impl:${id}`)).toBe(expected);
  });

  test.each([
    ['old-cpu-pages-stay-mapped', 'values', '3 shortest: switcher | access | registers references too many'],
    ['broadcast-stops-at-first-slot', 'pair', '9 shortest: kernel-broadcast | set-pte | a slot kept the old mapping'],
  ] as const)('%s is found in %s', async (id, name, expected) => {
    expect(await found(`impl:${id}`, name, 'below')).toBe(expected);
  });

  test('the sound machine has none', async () => {
    const machine = smallMachine('small', 'pae', 'below');
    expect((await run([], { machine, mostSteps: 3 })).end).toEqual({ kind: 'depth' });
  });

  test('a machine that remembers what it does not tell is found out, and that nothing is shown by that', async () => {
    const { end } = await run([store(0, 0), store(4, 0), store(8, 0)], { subject: new Tired() });
    expect(end).toMatchObject({ kind: 'divergence', found: { shortest: false } });
  });
});

/** The sound machine, without a view of its inside. */
const closedSubject = (): TransparentMachine => {
  const inner = IMPL.create() as TransparentMachine;
  return {
    create: (config) => inner.create(config),
    apply: (step) => inner.apply(step),
    destroy: () => inner.destroy(),
    tellState: (sink) => inner.tellState(sink),
  };
};

/** Answers its third step wrongly, and says nothing of having taken two. */
class Tired implements TransparentMachine {
  private readonly inner = IMPL.create() as TransparentMachine;
  private taken = 0;

  create(config: MachineConfig): Observation {
    this.taken = 0;
    return this.inner.create(config);
  }

  apply(step: Step): Observation {
    const observation = this.inner.apply(step);
    return ++this.taken === 3 ? { ...observation, outcome: { kind: 'stuck' } } : observation;
  }

  destroy(): ReturnType<Machine['destroy']> {
    return this.inner.destroy();
  }

  tellState(sink: StateSink): void {
    this.inner.tellState(sink);
  }
}
