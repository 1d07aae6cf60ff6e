/** Programs that are made from the pool: a pure function of the pool, the options, and what is drawn. */

import type fc from 'fast-check';
import type { Paging, Program, Step } from '../../model/vocabulary/index.js';
import type { Case, ProgramOptions } from '../generators/index.js';
import { Draw } from '../generators/draw.js';
import { programArbitrary } from '../generators/index.js';
import { keepsContract } from '../contract.js';
import { fitted } from './fit.js';
import { mutated, spliced } from './mutation.js';
import type { Guidance } from './seed-pool.js';

/** How often a child of a coherent guest is made anew because it broke the contract; most changes break it. */
const MOST_TRIES = 4;

const TWO_TO_32 = 2 ** 32;

interface Parent {
  readonly program: Program;
  readonly keepsContract: boolean;
}

/** Two views of one stream of random numbers. */
interface Chance {
  readonly draw: Draw;
  readonly random: fc.Random;
}

export class Breeder {
  private readonly options: ProgramOptions;
  private readonly share: number;
  /** Those of the paging that is asked for. */
  private readonly parents: readonly Parent[];

  constructor({ pool, share }: Guidance, options: ProgramOptions) {
    this.options = options;
    this.share = share;
    const { paging } = options;
    this.parents = pool.members
      .filter(({ machine }) => paging === 'both' || machine.paging === paging)
      .map((program) => ({ program, keepsContract: keepsContract(program) }));
  }

  /** It makes nothing, so that nobody need ask. */
  get isIdle(): boolean {
    return this.share === 0 || this.parents.length === 0;
  }

  /** A program from the pool, or undefined where the campaign's own one is to be run. */
  breed(random: fc.Random): Case | undefined {
    const draw = new Draw(random);
    if (draw.unsigned() >= this.share * TWO_TO_32) return undefined;
    return this.childOf(draw.pick(this.parents), { draw, random });
  }

  /** Of a coherent guest one that is coherent too, if a few tries bring one; none where all are to be, and no try brings one. */
  private childOf({ program, keepsContract: coherent }: Parent, chance: Chance): Case | undefined {
    const { traffic } = this.options;
    if (traffic === 'hostile') return { traffic, program: this.child(program, chance) };
    let child = this.child(program, chance);
    for (let left = coherent ? MOST_TRIES : 1; left > 0; left--) {
      if (keepsContract(child)) return { traffic: 'coherent', program: child };
      if (left > 1) child = this.child(program, chance);
    }
    return traffic === 'mixed' ? { traffic: 'hostile', program: child } : undefined;
  }

  private child(parent: Program, chance: Chance): Program {
    const { machine, steps } = this.changed(parent, chance);
    return fitted({ machine, steps: steps.slice(0, this.options.mostSteps) });
  }

  private changed(parent: Program, { draw, random }: Chance): Program {
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
