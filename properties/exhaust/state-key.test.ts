import { describe, expect, test } from 'vitest';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import { ReferenceMachine } from '../../model/machine.js';
import type { MachineConfig, Step } from '../../model/vocabulary/index.js';
import { PAGINGS, SLOTS, guestEntry, paddr } from '../../model/vocabulary/index.js';
import {
  access,
  failAlloc,
  init,
  migrate,
  newPgtable,
  protect,
  setPgd,
  setStack,
  store,
} from '../../test-support/steps.js';
import type { SmallMachine } from './machines/layout.js';
import { SMALL_MACHINES, smallMachine } from './small-machine.js';
import type { Swap } from './state-key.js';
import { StateKey } from './state-key.js';
import { Transcript } from './transcript.js';

const reference = new ReferenceMachine();
const subject = new ShadowMachine();
const transcript = new Transcript();
const [TWO_LEVEL] = smallMachine('small', '2-level', 'above').creations;

/** How the last step of a path ended, and the state that it led to. */
const after = (machine: MachineConfig, path: readonly Step[], key: StateKey): string => {
  reference.create(machine);
  let { outcome } = subject.create(machine);
  let killed: string | undefined;
  for (const step of path) {
    reference.apply(step);
    ({ outcome } = subject.apply(step));
    if (outcome.kind === 'killed') killed = outcome.reason;
  }
  if (killed === undefined) transcript.take(reference, subject);
  else transcript.takeEnd(killed);
  key.read(transcript);
  return outcome.kind;
};

const keyOf = (machine: MachineConfig, path: readonly Step[], swaps: readonly Swap[]): string => {
  const key = new StateKey(swaps, 'names');
  after(machine, path, key);
  return `${key.high} ${key.low}`;
};

const exactKeyOf = (machine: MachineConfig, path: readonly Step[]): string => {
  const key = new StateKey([], 'nothing');
  after(machine, path, key);
  return `${key.high} ${key.low}`;
};

/** Both roots, the table and a page behind it: the guest runs, and has touched its first page. */
const RUNNING = [init(), store(0, 0x2007), store(0x2000, 0x3007), newPgtable(0, 1), access(0)];

describe('the key of a state', () => {
  test('forgets how the state was reached', () => {
    const paths = [
      [store(0x2000, 0x3007), store(0x2004, 0x4007)],
      [store(0x2004, 0x4007), store(0x2000, 0x3007)],
      [store(0x2000, 0x3007), store(0x2004, 0x4007), store(0x2000, 0), store(0x2000, 0x3007)],
    ];
    expect(new Set(paths.map((path) => exactKeyOf(TWO_LEVEL, path))).size).toBe(1);
    expect(exactKeyOf(TWO_LEVEL, [store(0x2000, 1), store(0x2000, 0)])).toBe(exactKeyOf(TWO_LEVEL, []));
  });

  test('tells apart what may lead to different futures', () => {
    const paths: readonly (readonly Step[])[] = [
      [],
      [init()],
      [init(), newPgtable(0, 0)],
      [init(), newPgtable(0, 1)],
      [init(), setStack(0x1000, 1)],
      [failAlloc(1)],
      [failAlloc(2)],
      [protect(3, 'read')],
      [protect(3, 'none')],
      [store(0x2000, 0x3007)],
      [store(0x2004, 0x3007)],
      [store(0x2000, 0x5007)],
      [access(0)],
      [access(0, 'write')],
      RUNNING,
      [...RUNNING, access(0, 'write')],
      [...RUNNING, store(0, 0x2001)],
      [...RUNNING, store(0x2000, 0)],
      [...RUNNING, setPgd(0, 0)],
      [...RUNNING, setPgd(0, 1023)],
      [...RUNNING, newPgtable(0x1000, 1)],
      [...RUNNING, newPgtable(0x1000, 2)],
      [...RUNNING, init()],
    ];
    const { swaps } = smallMachine('small', '2-level', 'above');
    expect(new Set(paths.map((path) => keyOf(TWO_LEVEL, path, swaps))).size).toBe(paths.length);
  });

  test('has the host CPU that the guest runs on, and those that a slot maps', () => {
    const key = new StateKey([], 'nothing');
    const keys = [[], [0], [1], [0, 1], [1, 0]].map((cpus) => {
      const machine = { ...TWO_LEVEL, hostCpus: 2 };
      reference.create(machine);
      subject.create(machine);
      for (const cpu of cpus) {
        for (const step of [{ op: 'migrate', cpu } as const, access(0)]) {
          reference.apply(step);
          subject.apply(step);
        }
      }
      transcript.take(reference, subject);
      key.read(transcript);
      return `${key.high} ${key.low}`;
    });
    expect(keys.map((each) => keys.indexOf(each))).toEqual([0, 1, 2, 2, 1]);
  });
});

/** The same step with slots, pages and roots called differently. */
const renamed = (step: Step, swaps: readonly Swap[], slots: readonly number[]): Step => {
  const name = (of: Swap['of'], value: number): number => {
    const swap = swaps.find((each) => each.of === of && (each.one === value || each.other === value));
    return swap === undefined ? value : swap.one + swap.other - value;
  };
  const word = ({ low, high }: { low: number; high: number }) =>
    guestEntry(name('page', low >>> 12) * 4096 + (low & 0xfff), high);
  switch (step.op) {
    case 'store':
      return { ...step, paddr: paddr(name('address', step.paddr)), value: word(step.value) };
    case 'new-pgtable':
      return { ...step, root: paddr(name('address', step.root)), draw: slots[step.draw] };
    case 'set-pte':
      return { ...step, root: paddr(name('address', step.root)), pte: word(step.pte) };
    case 'set-pgd':
      return { ...step, root: paddr(name('address', step.root)) };
    case 'protect':
      return { ...step, page: name('page', step.page) };
    case 'migrate':
      return { ...step, cpu: name('cpu', step.cpu) };
    default:
      return step;
  }
};

/** Slot 0 is the one of creation, so it keeps its name. */
const SLOT_NAMES = [
  [0, 1, 2, 3],
  [0, 2, 1, 3],
  [0, 3, 1, 2],
] as const;

/** Paths of the alphabet that are drawn so that they go deep: deterministic, and different for each seed. */
const somePath = (alphabet: readonly Step[], seed: number): Step[] => {
  let state = seed * 2654435761 + 1;
  const path = [alphabet[0]];
  for (let i = 0; i < 12; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    path.push(alphabet[state % alphabet.length]);
  }
  return path;
};

const MACHINES = SMALL_MACHINES.flatMap((name) => PAGINGS.map((paging) => [name, paging] as const));

describe.each(MACHINES)('symmetries of %s in %s', (name, paging) => {
  const { alphabet, swaps, creations } = smallMachine(name, paging, 'between');
  const [machine] = creations;

  test('a path with other names leads to a state with the same key, step by step', () => {
    let different = 0;
    for (let seed = 0; seed < 100; seed++) {
      // The guest of a renamed path begins on another CPU too.
      const path = [migrate(0), ...somePath(alphabet, seed)];
      const chosen = swaps.filter((_, index) => ((seed >> index) & 1) === 1);
      const other = path.map((step) => renamed(step, chosen, SLOT_NAMES[seed % SLOT_NAMES.length]));
      for (let end = 1; end <= path.length; end++) {
        const [one, two] = [path.slice(0, end), other.slice(0, end)];
        expect(keyOf(machine, one, swaps)).toBe(keyOf(machine, two, swaps));
        if (exactKeyOf(machine, one) !== exactKeyOf(machine, two)) different++;
      }
    }
    expect(different).toBeGreaterThan(50);
  });

  test('with a step the alphabet has what the symmetries make of it', () => {
    const shown = new Set(alphabet.map((step) => JSON.stringify(step)));
    const missing = alphabet.filter((step) =>
      swaps.some((swap) => !shown.has(JSON.stringify(renamed(step, [swap], SLOT_NAMES[0])))),
    );
    // Two that kill whatever root they name.
    expect(missing.map(({ op }) => op)).toEqual(name === 'small' ? ['set-pte', 'set-pgd'] : []);
  });

  test('no step is in the alphabet twice', () => {
    expect(new Set(alphabet.map((step) => JSON.stringify(step))).size).toBe(alphabet.length);
  });

  test('states that are folded go on alike', () => {
    expect(strangers({ alphabet, swaps, creations })).toBe(0);
  });
});

describe.each(PAGINGS)('what is no symmetry of %s', (paging) => {
  const machine = smallMachine('small', paging, 'between');

  test.each([
    ['a data page and a device', { of: 'page', one: 5, other: 3 }],
    [
      "the user's first entry and the kernel's last",
      { of: 'address', one: 0x2000, other: paging === 'pae' ? 0x2ff8 : 0x2ffc },
    ],
  ] as const)('it would be noticed if %s were folded', (_, swap) => {
    const swaps = [...machine.swaps.filter(({ of }) => of !== swap.of), swap];
    expect(strangers({ ...machine, swaps })).toBeGreaterThan(0);
  });
});

/** Pairs of states that are folded into one, and of which some step leads elsewhere: all states of three steps are looked at. */
const strangers = (machine: SmallMachine): number => {
  const futures = new Map<string, string>();
  let found = 0;
  for (const path of statesOf(machine)) {
    const key = keyOf(machine.creations[0], path, machine.swaps);
    const future = futureOf(machine, path);
    const known = futures.get(key);
    if (known === undefined) futures.set(key, future);
    else if (known !== future) found++;
  }
  return found;
};

/** A path to every state that a step behind `init` and a root leads to, with nothing folded. */
const statesOf = ({ alphabet, creations: [machine] }: SmallMachine): readonly (readonly Step[])[] => {
  const found = new Map<string, readonly Step[]>();
  const switches = alphabet.filter(({ op }) => op === 'new-pgtable');
  let level: readonly (readonly Step[])[] = [
    [alphabet[0], switches[1]],
    [alphabet[0], switches.at(-2)!],
  ];
  for (let depth = 0; depth <= 1; depth++) {
    const next: (readonly Step[])[] = [];
    for (const path of level) {
      const key = exactKeyOf(machine, path);
      if (found.has(key)) continue;
      found.set(key, path);
      next.push(...alphabet.map((step) => [...path, step]));
    }
    level = next;
  }
  return [...found.values()];
};

/** What all steps lead to, in no order. */
const futureOf = ({ alphabet, swaps, creations: [machine] }: SmallMachine, path: readonly Step[]): string => {
  const key = new StateKey(swaps, 'names');
  const ends = alphabet.map((step) => {
    const kind = after(machine, [...path, step], key);
    return `${kind} ${key.high} ${key.low}`;
  });
  return [...new Set(ends)].sort().join();
};

test('slots of which the same is told are alike', () => {
  const key = new StateKey([], 'names');
  after(TWO_LEVEL, RUNNING, key);
  const alike = Array.from({ length: SLOTS }, (_, slot) => [0, 1, 2, 3].filter((other) => key.alike(slot, other)));
  expect(alike).toEqual([[0], [1], [2, 3], [2, 3]]);
});
