/** Programs for the harness: fast to generate, and shrinkable whether they were just generated or come from a file. */

import fc from 'fast-check';
import type { Paging, Program } from '../../model/vocabulary/index.js';
import { keepsContract } from '../contract.js';
import { anySteps } from './any-step.js';
import type { Case, Traffic } from './case.js';
import { TRAFFICS } from './case.js';
import type { CoherentOrigin } from './coherent.js';
import { drawCoherent, lowerCoherent } from './coherent.js';
import { Draw } from './draw.js';
import { drawHostile } from './hostile.js';
import { drawMachine } from './machine-size.js';
import { macroLists } from './macro.js';
import type { Mixture } from './mixture.js';
import { isProgram, smallerMachines } from './valid-program.js';

export interface ProgramOptions {
  /** `both` draws one of the two for each program. */
  readonly paging: Paging | 'both';
  /** `mixed` draws one of the two for each program. */
  readonly traffic: Traffic | 'mixed';
  /** The longest program, in steps; at least 48, so that a guest can set up its tables. */
  readonly mostSteps: number;
  /** Left out: `swarm`. */
  readonly mixture?: Mixture;
}

export const DEFAULT_PROGRAM_OPTIONS: ProgramOptions = { paging: 'both', traffic: 'mixed', mostSteps: 160 };

/** What a generated coherent case remembers for shrinking. */
interface MacroContext {
  readonly origin: CoherentOrigin;
  /** fast-check's own context of the list of macros; `undefined` for one that was generated here. */
  readonly listContext: unknown;
}

const isMacroContext = (context: unknown): context is MacroContext =>
  typeof context === 'object' && context !== null && 'origin' in context;

class ProgramArbitrary extends fc.Arbitrary<Case> {
  private readonly options: ProgramOptions;

  constructor(options: ProgramOptions) {
    super();
    this.options = options;
  }

  override generate(random: fc.Random): fc.Value<Case> {
    const { mostSteps, mixture = 'swarm' } = this.options;
    const draw = new Draw(random);
    const bits = draw.bits(2);
    const paging = this.paging(bits & 1);
    const traffic = this.traffic(bits >> 1);
    if (traffic === 'hostile') {
      const program = drawHostile(draw, drawMachine(draw, paging), mostSteps, mixture);
      return new fc.Value<Case>({ traffic, program }, undefined);
    }
    const { program, origin } = drawCoherent(draw, paging, mostSteps, mixture);
    const context: MacroContext = { origin, listContext: undefined };
    return new fc.Value<Case>({ traffic, program }, context);
  }

  private paging(bit: number): Paging {
    const { paging } = this.options;
    if (paging !== 'both') return paging;
    return bit === 0 ? '2-level' : 'pae';
  }

  private traffic(bit: number): Traffic {
    const { traffic } = this.options;
    if (traffic !== 'mixed') return traffic;
    return bit === 0 ? 'hostile' : 'coherent';
  }

  override canShrinkWithoutContext(value: unknown): value is Case {
    if (typeof value !== 'object' || value === null) return false;
    const { traffic, program } = value as Partial<Case>;
    if (traffic === undefined || !TRAFFICS.includes(traffic)) return false;
    return isProgram(program) && (traffic === 'hostile' || keepsContract(program));
  }

  /** A coherent case loses macros first, then (as every other) single steps, and keeps the contract all the way. */
  override shrink(value: Case, context: unknown): fc.Stream<fc.Value<Case>> {
    const byStep = fc.Stream.of(value).flatMap((shrinkable) => shrinkSteps(shrinkable));
    return isMacroContext(context) ? shrinkMacros(context).join(byStep) : byStep;
  }
}

const shrinkMacros = ({ origin, listContext }: MacroContext): fc.Stream<fc.Value<Case>> =>
  macroLists.shrink([...origin.macros], listContext).map((list) => {
    const smaller: CoherentOrigin = { layout: origin.layout, macros: list.value };
    const context: MacroContext = { origin: smaller, listContext: list.context };
    return new fc.Value<Case>({ traffic: 'coherent', program: lowerCoherent(smaller) }, context);
  });

/** Fewer and smaller steps, then a smaller machine. */
const shrinkSteps = ({ traffic, program }: Case): fc.Stream<fc.Value<Case>> => {
  const keeps = (candidate: Program): boolean => traffic === 'hostile' || keepsContract(candidate);
  const { machine } = program;
  const fewer = anySteps(machine)
    .shrink([...program.steps], undefined)
    .map((steps): Program => ({ machine, steps: steps.value }));
  const smaller = fc.Stream.of(...smallerMachines(program));
  return fewer
    .join(smaller)
    .filter(keeps)
    .map((candidate) => new fc.Value<Case>({ traffic, program: candidate }, undefined));
};

/**
 * Programs of both kinds of guest, each with the kind that it is: all valid, and the coherent ones keep the contract, shrunk too.
 * What is left out of `options` is as in `DEFAULT_PROGRAM_OPTIONS`.
 */
export const programArbitrary = (options: Partial<ProgramOptions> = {}): fc.Arbitrary<Case> =>
  new ProgramArbitrary({ ...DEFAULT_PROGRAM_OPTIONS, ...options });
