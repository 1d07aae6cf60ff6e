/** Makes programs from the pool, by mutation and splicing: a pure function of the pool, the options, and the random numbers. */

import type fc from 'fast-check';
import type { Paging, Program, Step } from '../../model/vocabulary/index.js';
import type { Case, ProgramOptions } from '../generators/index.js';
import { Draw } from '../generators/draw.js';
import { programArbitrary } from '../generators/index.js';
import { keepsContract } from '../contract.js';
import { whyOutside } from '../subjects/scope.js';
import { mutated, repaired, spliced } from './mutation.js';
import type { Guidance } from './program-pool.js';

/** Attempts at a child that keeps the contract, for a parent that does; most mutations break it. */
const MOST_TRIES = 4;

const TWO_TO_32 = 2 ** 32;

interface Parent {
  readonly program: Program;
  readonly keepsContract: boolean;
}

/** Two views of one stream of random numbers. */
interface Randomness {
  readonly draw: Draw;
  readonly random: fc.Random;
}

export class Breeder {
  private readonly options: ProgramOptions;
  private readonly share: number;
  /** The pool's programs in the campaign's paging mode and of its kinds of steps. */
  private readonly parents: readonly Parent[];
  private readonly favoured: readonly Parent[];

  constructor({ pool, share, favoured = [] }: Guidance, options: ProgramOptions) {
    this.options = options;
    this.share = share;
    const { paging, steps: allowed, features = [], profile = 'lguest' } = options;
    const parents = pool.members
      .map((program, index) => ({ program, isFavoured: favoured.includes(index) }))
      .filter(({ program: { machine } }) => paging === 'both' || machine.paging === paging)
      .filter(({ program: { steps } }) => allowed === undefined || steps.every(({ op }) => allowed.includes(op)))
      .filter(({ program: { machine } }) => machine.features?.every((each) => features.includes(each)) ?? true)
      .filter(({ program }) => whyOutside(program, profile) === undefined)
      .map((parent) => ({ ...parent, keepsContract: keepsContract(parent.program) }));
    this.parents = parents;
    this.favoured = parents.filter(({ isFavoured }) => isFavoured);
  }

  /** True if `breed` would never make a program. */
  get isIdle(): boolean {
    return this.share === 0 || this.parents.length === 0;
  }

  /** A program made from the pool, or undefined where the campaign should generate one as usual. */
  breed(random: fc.Random): Case | undefined {
    const draw = new Draw(random);
    if (draw.unsigned() >= this.share * TWO_TO_32) return undefined;
    const isFavoured = this.favoured.length > 0 && draw.bits(1) === 0;
    return this.childOf(draw.pick(isFavoured ? this.favoured : this.parents), { draw, random });
  }

  /**
   * A child that keeps the contract if its parent does and a few attempts produce one. If none does, the child is hostile, or
   * undefined in a campaign of coherent or racy guests only.
   */
  private childOf({ program, keepsContract: coherent }: Parent, source: Randomness): Case | undefined {
    const { traffic } = this.options;
    if (traffic === 'racy') return undefined;
    if (traffic === 'hostile') return { traffic, program: this.child(program, source) };
    let child = this.child(program, source);
    for (let left = coherent ? MOST_TRIES : 1; left > 0; left--) {
      if (this.isCoherent(child)) return { traffic: 'coherent', program: child };
      if (left > 1) child = this.child(program, source);
    }
    return traffic === 'mixed' ? { traffic: 'hostile', program: child } : undefined;
  }

  /** In a profile of its own, a child belongs to it, or it is none. */
  private isCoherent(child: Program): boolean {
    const { profile = 'lguest' } = this.options;
    return keepsContract(child) && whyOutside(child, profile) === undefined;
  }

  private child(parent: Program, source: Randomness): Program {
    const { machine, steps } = this.changed(parent, source);
    return repaired({ machine, steps: steps.slice(0, this.options.mostSteps) });
  }

  private changed(parent: Program, { draw, random }: Randomness): Program {
    const { paging } = parent.machine;
    switch (draw.below(4)) {
      case 0:
        return spliced(parent, this.mate(paging, draw), draw);
      case 1:
        return spliced(parent, this.fresh(paging, random), draw);
      default:
        return mutated(parent, { draw, fresh: this.fresh(paging, random) });
    }
  }

  private fresh(paging: Paging, random: fc.Random): readonly Step[] {
    return programArbitrary({ ...this.options, paging }).generate(random, undefined).value.program.steps;
  }

  private mate(paging: Paging, draw: Draw): readonly Step[] {
    return draw.pick(this.parents.filter(({ program }) => program.machine.paging === paging)).program.steps;
  }
}
