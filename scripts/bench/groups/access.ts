/** Accesses that hit the shadow, beside the least that any lookup must do, and accesses that miss. */

import { ShadowMachine } from '../../../impl/shadow-machine.js';
import type { AccessStep, Observation, Paging, Step } from '../../../model/vocabulary/index.js';
import { paddr, PAGINGS } from '../../../model/vocabulary/index.js';
import { ZERO_OBSERVATION } from '../../../properties/trace-of.js';
import type { Budget, Figure, Group, Workload } from '../measurement.js';
import { collectGarbage, figureOf, ratioOf, stepFigures, takeRounds } from '../measurement.js';
import type { GuestSize } from '../plain-guest.js';
import { machineFor, openingOf, rootNumber, touchAll } from '../plain-guest.js';

const MAPPED = 64;
/** Passes over the mapped pages in one sample, for hits. */
const PASSES = 2000;
const MISS_PASSES = 200;
const HEAP_ACCESSES = 10_000_000;
const HEAP_LOOKS = 100;

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;

/** A machine whose shadow maps everything that the accesses touch. */
const warmMachine = (size: GuestSize): ShadowMachine => {
  const machine = new ShadowMachine();
  machine.create(machineFor(size));
  const steps: readonly Step[] = [
    ...openingOf(size),
    { op: 'new-pgtable', root: rootNumber(0), draw: 0 },
    ...touchAll(size),
  ];
  for (const step of steps) machine.apply(step);
  return machine;
};

const sizeOf = (paging: Paging): GuestSize => ({ paging, guestPages: MAPPED, mapped: MAPPED });

/** Shadow words that map all accesses: 1024 upper entries, followed by one leaf table. */
const floorWords = (accesses: readonly AccessStep[]): Uint32Array => {
  const words = new Uint32Array(2048);
  words[accesses[0].vaddr >>> 22] = 1024 | PRESENT | WRITABLE | USER;
  for (const { vaddr } of accesses) words[1024 + ((vaddr >>> 12) & 0x3ff)] = vaddr | PRESENT | WRITABLE | USER;
  return words;
};

const floorTranslates = (words: Uint32Array, { vaddr, kind, mode }: AccessStep): boolean => {
  const needed = PRESENT | (kind === 'write' ? WRITABLE : 0) | (mode === 'user' ? USER : 0);
  const upper = words[vaddr >>> 22];
  const leaf = words[(upper & ~0x3ff) + ((vaddr >>> 12) & 0x3ff)];
  return (upper & leaf & needed) === needed;
};

/** The least that a lookup does: load two words, one after the other, and test their rights. */
const floorWorkload = (): Workload => {
  const accesses = touchAll(sizeOf('2-level'));
  const words = floorWords(accesses);
  return { id: 'floor', title: 'floor: two words and their rights', run: () => floorPasses(accesses, words) };
};

const floorPasses = (accesses: readonly AccessStep[], words: Uint32Array): number => {
  let through = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < accesses.length; i++) if (floorTranslates(words, accesses[i])) through++;
  }
  return allOf(through, accesses);
};

/** The least that a step does: the same behind a test of the kind of step, with an observation of the outcome. */
const floorStepWorkload = (): Workload => {
  const accesses = touchAll(sizeOf('2-level'));
  const machine = new FloorMachine(floorWords(accesses));
  return {
    id: 'floor-step',
    title: 'floor of a step: the same, with an observation',
    run: () => floorStepPasses(machine, accesses),
  };
};

const floorStepPasses = (machine: FloorMachine, accesses: readonly AccessStep[]): number => {
  let through = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < accesses.length; i++) if (machine.apply(accesses[i]).outcome.kind === 'mapped') through++;
  }
  return allOf(through, accesses);
};

/** Handles accesses only. */
class FloorMachine {
  private readonly words: Uint32Array;
  private readonly mapped = { kind: 'mapped' as const, paddr: paddr(0) };
  private readonly observation = { ...ZERO_OBSERVATION };

  constructor(words: Uint32Array) {
    this.words = words;
  }

  apply(step: Step): Observation {
    const { observation } = this;
    if (step.op === 'access' && floorTranslates(this.words, step)) {
      this.mapped.paddr = paddr(step.vaddr);
      observation.outcome = this.mapped;
    } else observation.outcome = ZERO_OBSERVATION.outcome;
    observation.references = ZERO_OBSERVATION.references;
    observation.stores = ZERO_OBSERVATION.stores;
    observation.tables = ZERO_OBSERVATION.tables;
    observation.switcher = ZERO_OBSERVATION.switcher;
    return observation;
  }
}

/** The CPU's part alone, without step, outcome or observation. */
const lookupWorkload = (paging: Paging): Workload => {
  const size = sizeOf(paging);
  const machine = warmMachine(size);
  const accesses = touchAll(size);
  return {
    id: `lookup-${paging}`,
    title: `hit, the lookup alone, ${paging}`,
    run: () => lookupPasses(machine, accesses),
  };
};

const lookupPasses = ({ tables, guest }: ShadowMachine, accesses: readonly AccessStep[]): number => {
  let through = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < accesses.length; i++) {
      const { vaddr, kind, mode } = accesses[i];
      const rights = (kind === 'write' ? WRITABLE : 0) | (mode === 'user' ? USER : 0);
      if (tables.translates(guest.current, vaddr, rights)) through++;
    }
  }
  return allOf(through, accesses);
};

/** Throws unless every access hit, because the workload would then not measure hits. */
const allOf = (through: number, accesses: readonly AccessStep[]): number => {
  if (through !== PASSES * accesses.length) throw new Error('an access did not hit');
  return through;
};

const hitWorkload = (paging: Paging): Workload => {
  const size = sizeOf(paging);
  const machine = warmMachine(size);
  const accesses = touchAll(size);
  return {
    id: `hit-${paging}`,
    title: `hit, the whole step, ${paging}`,
    run: () => hitPasses(machine, accesses, PASSES),
  };
};

const hitPasses = (machine: ShadowMachine, accesses: readonly AccessStep[], passes: number): number => {
  const { entryVersion } = machine.host;
  for (let pass = 0; pass < passes; pass++) {
    for (let i = 0; i < accesses.length; i++) machine.apply(accesses[i]);
  }
  if (machine.host.entryVersion !== entryVersion) throw new Error('an access did not hit');
  return passes * accesses.length;
};

const missWorkload = (paging: Paging): Workload => {
  const size = sizeOf(paging);
  const machine = warmMachine(size);
  const steps: readonly Step[] = [{ op: 'flush-tlb', scope: 'all' }, ...touchAll(size)];
  return {
    id: `miss-${paging}`,
    title: `miss, with its share of the flush before, ${paging}`,
    run: () => {
      for (let pass = 0; pass < MISS_PASSES; pass++) for (const step of steps) machine.apply(step);
      return MISS_PASSES * MAPPED;
    },
  };
};

/** The largest growth of the heap, in MiB, read often enough to see garbage before it is collected. */
const heapGrowth = (paging: Paging): number => {
  const size = sizeOf(paging);
  const machine = warmMachine(size);
  const accesses = touchAll(size);
  const passes = HEAP_ACCESSES / HEAP_LOOKS / MAPPED;
  hitPasses(machine, accesses, passes);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  let most = 0;
  for (let look = 0; look < HEAP_LOOKS; look++) {
    hitPasses(machine, accesses, passes);
    most = Math.max(most, process.memoryUsage().heapUsed - before);
  }
  return most / 2 ** 20;
};

const measure = async (budget: Budget): Promise<readonly Figure[]> => {
  const perPaging = [lookupWorkload, hitWorkload, missWorkload].flatMap((make) =>
    PAGINGS.map((paging) => make(paging)),
  );
  const workloads = [floorWorkload(), floorStepWorkload(), ...perPaging];
  const rounds = await takeRounds(workloads, budget);
  const ratios = PAGINGS.flatMap((paging) =>
    (['lookup', 'hit'] as const).map((part) =>
      ratioOf({ id: `${part}-over-floor-${paging}`, title: `${part} over floor, ${paging}` }, rounds, (round) => {
        return round[`${part}-${paging}`] / round['floor'];
      }),
    ),
  );
  const growth = figureOf(
    { id: 'hit-heap-growth', title: 'heap growth over 10,000,000 hits', unit: 'MiB' },
    PAGINGS.map(heapGrowth),
  );
  return [...stepFigures(workloads, rounds), ...ratios, growth];
};

export const access: Group = { name: 'access', title: 'Accesses of impl', measure };
