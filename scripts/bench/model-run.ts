/**
 * What a user of fast-check would write without this harness: a command for each step, `fc.commands` to draw them for a small guest,
 * and `fc.modelRun` to compare outcomes. It checks no invariants.
 */

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import { ReferenceMachine } from '../../model/machine.js';
import type { Machine, Step } from '../../model/vocabulary/index.js';
import { USUAL_STEPS } from '../../properties/generators/index.js';
import type { GuestSize } from './plain-guest.js';
import { leafOf, machineFor, MOST_ROOTS, openingOf, pageOf, rootNumber } from './plain-guest.js';

const SIZE: GuestSize = { paging: '2-level', guestPages: 64, mapped: 16 };
const OPENING: readonly Step[] = [...openingOf(SIZE), { op: 'new-pgtable', root: rootNumber(0), draw: 0 }];

export class ModelRun {
  private readonly model = new ReferenceMachine();
  private readonly real = new ShadowMachine();
  private readonly count: Count = { steps: 0 };
  private readonly commands = fc.commands<Machine, Machine>(commandsOf(this.count), {
    maxCommands: USUAL_STEPS,
    size: 'max',
  });

  /** Runs drawn programs and returns the number of steps, those of the opening included. */
  run(programs: number): number {
    const before = this.count.steps;
    const property = fc.property(this.commands, (drawn) => {
      fc.modelRun(() => this.begin(), drawn);
      const { fresh: _, ...left } = this.model.destroy();
      if (!isDeepStrictEqual(left, this.real.destroy())) throw new Error('the machines differ at the end');
    });
    fc.assert(property, { numRuns: programs, seed: 1 });
    return this.count.steps - before;
  }

  private begin(): { readonly model: Machine; readonly real: Machine } {
    const { model, real, count } = this;
    model.create(machineFor(SIZE));
    real.create(machineFor(SIZE));
    for (const step of OPENING) take(step, model, real, count);
    return { model, real };
  }
}

interface Count {
  steps: number;
}

const take = (step: Step, model: Machine, real: Machine, count: Count): void => {
  count.steps++;
  const { fresh: _, ...observed } = model.apply(step);
  if (!isDeepStrictEqual(observed, real.apply(step))) throw new Error(`the machines differ at ${step.op}`);
};

class StepCommand implements fc.Command<Machine, Machine> {
  private readonly step: Step;
  private readonly count: Count;

  constructor(step: Step, count: Count) {
    this.step = step;
    this.count = count;
  }

  check(): boolean {
    return true;
  }

  run(model: Machine, real: Machine): void {
    take(this.step, model, real, this.count);
  }

  toString(): string {
    return this.step.op;
  }
}

const commandsOf = (count: Count): fc.Arbitrary<fc.Command<Machine, Machine>>[] => {
  const root = fc.nat(MOST_ROOTS - 1).map(rootNumber);
  const address = fc
    .record({ region: fc.constantFrom('user' as const, 'kernel' as const), page: fc.nat(SIZE.mapped - 1) })
    .map(({ region, page }) => pageOf(region, page));
  const kind = fc.constantFrom('read' as const, 'write' as const);
  const mode = fc.constantFrom('user' as const, 'kernel' as const);
  const steps: readonly fc.Arbitrary<Step>[] = [
    fc.record({ op: fc.constant('new-pgtable' as const), root, draw: fc.nat() }),
    fc.record({ op: fc.constant('flush-tlb' as const), scope: fc.constantFrom('all' as const, 'user' as const) }),
    fc.record({ op: fc.constant('set-pgd' as const), root, index: fc.constantFrom(256, 768) }),
    fc.record({
      op: fc.constant('set-pte' as const),
      root,
      vaddr: address,
      pte: fc.nat(SIZE.guestPages - 1).map((page) => leafOf(page, SIZE)),
    }),
    fc.record({ op: fc.constant('access' as const), vaddr: address, kind, mode }),
    fc.record({ op: fc.constant('migrate' as const), cpu: fc.nat(1) }),
  ];
  return steps.map((each) => each.map((step) => new StepCommand(step, count)));
};
