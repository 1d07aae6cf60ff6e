/**
 * The fast-check arbitrary of programs. It draws them itself, because combinators are too slow, and shrinks any case: a generated
 * coherent one by its macros first, every other one, also from a file, by its steps.
 */

import fc from 'fast-check';
import type { Feature, Op, Paging, Program } from '../../model/vocabulary/index.js';
import { keepsContract } from '../contract.js';
import type { Profile } from '../profile.js';
import { anySteps } from './any-step.js';
import type { Case, Mixture, Traffic } from './case.js';
import { COHERENT_STEPS, TRAFFICS, USUAL_STEPS } from './case.js';
import type { CoherentOrigin } from './coherent.js';
import { drawCoherent, lowerCoherent } from './coherent.js';
import { Draw } from './draw.js';
import { drawHostile } from './hostile.js';
import { drawMachine } from './hostile-layout.js';
import { macroLists } from './macro.js';
import { withLateAnnouncements } from './racy.js';
import { isProgram, smallerMachines } from './valid-program.js';

export interface ProgramOptions {
  /** `both`: drawn for each program. */
  readonly paging: Paging | 'both';
  /** `mixed`: drawn for each program. */
  readonly traffic: Traffic | 'mixed';
  /** The longest program, in steps: at least 48, so that a guest has room to set up its tables. Most programs have at most 160. */
  readonly mostSteps: number;
  /** `swarm` by default. */
  readonly mixture?: Mixture;
  /** The kinds of steps that programs may have; all by default. */
  readonly steps?: readonly Op[] | undefined;
  /** The most pages of guest RAM, 64 … 4096; 4096 by default. */
  readonly guestPages?: number | undefined;
  /** What the CPUs of programs may have, in the profile `architecture`; nothing by default. */
  readonly features?: readonly Feature[] | undefined;
  /** `lguest` by default. Programs of the profile `architecture` are coherent, unless they are to be racy. */
  readonly profile?: Profile | undefined;
}

/**
 * The kinds of steps that programs may not have, and without which guests of this kind cannot be made. A coherent guest announces every
 * change of its tables; what it does besides can be left out of a coherent program, and the rest still keeps the contract.
 */
export const missingSteps = ({
  paging,
  traffic,
  steps,
}: Pick<ProgramOptions, 'paging' | 'traffic' | 'steps'>): readonly Op[] =>
  steps === undefined ? [] : neededSteps(paging, traffic).filter((op) => !steps.includes(op));

const neededSteps = (paging: ProgramOptions['paging'], traffic: ProgramOptions['traffic']): readonly Op[] => {
  if (traffic === 'hostile' || traffic === 'mixed') return ['access'];
  return paging === '2-level' ? COHERENT_STEPS : [...COHERENT_STEPS, 'set-pmd'];
};

export const DEFAULT_PROGRAM_OPTIONS: ProgramOptions = { paging: 'both', traffic: 'mixed', mostSteps: 2048 };

/** One program in this many may be as long as the options allow. */
const LONG_EVERY = 256;

/** What fast-check keeps with a generated coherent case, for shrinking. */
interface MacroContext {
  readonly origin: CoherentOrigin;
  /** fast-check's own context for the list of macros; `undefined` for a list that was generated here. */
  readonly listContext: unknown;
}

const isMacroContext = (context: unknown): context is MacroContext =>
  typeof context === 'object' && context !== null && 'origin' in context;

class ProgramArbitrary extends fc.Arbitrary<Case> {
  private readonly options: ProgramOptions;

  constructor(options: ProgramOptions) {
    super();
    const missing = missingSteps(options);
    if (missing.length > 0) throw new RangeError(`such programs need ${missing.join(', ')}`);
    if (options.traffic === 'racy' && options.profile !== 'architecture')
      throw new RangeError('racy guests are of the profile architecture');
    this.options = options;
  }

  override generate(random: fc.Random): fc.Value<Case> {
    const { mixture = 'swarm', guestPages, profile } = this.options;
    const draw = new Draw(random);
    const mostSteps = this.mostSteps(draw);
    const bits = draw.bits(2);
    const paging = this.paging(bits & 1);
    const traffic = this.traffic(bits >> 1, paging);
    if (traffic === 'hostile') {
      const isLinear = this.options.steps?.includes('new-pgtable') === false;
      const program = drawHostile(draw, drawMachine(draw, paging, guestPages), { mostSteps, mixture, isLinear });
      return new fc.Value<Case>({ traffic, program: this.limited(program) }, undefined);
    }
    const features = traffic === 'racy' ? undefined : this.options.features;
    const { program, origin } = drawCoherent(draw, paging, { mostSteps, mixture, guestPages, features, profile });
    const limited = this.limited(program);
    if (traffic === 'racy')
      return new fc.Value<Case>(
        { traffic, program: this.limited(withLateAnnouncements(draw, program, mostSteps)) },
        undefined,
      );
    const context: MacroContext = { origin, listContext: undefined };
    if (limited === program) return new fc.Value<Case>({ traffic, program }, context);
    return new fc.Value<Case>({ traffic, program: limited }, undefined);
  }

  private mostSteps(draw: Draw): number {
    const { mostSteps } = this.options;
    return draw.oneIn(LONG_EVERY) ? mostSteps : Math.min(mostSteps, USUAL_STEPS);
  }

  /** Without the steps that programs may not have: what is left of a valid program is one. */
  private limited(program: Program): Program {
    const { steps: allowed } = this.options;
    if (allowed === undefined || program.steps.every(({ op }) => allowed.includes(op))) return program;
    return { machine: program.machine, steps: program.steps.filter(({ op }) => allowed.includes(op)) };
  }

  private paging(bit: number): Paging {
    const { paging } = this.options;
    if (paging !== 'both') return paging;
    return bit === 0 ? '2-level' : 'pae';
  }

  private traffic(bit: number, paging: Paging): Traffic {
    const { traffic, steps, profile } = this.options;
    if (profile === 'architecture') return traffic === 'racy' ? traffic : 'coherent';
    if (traffic !== 'mixed') return traffic;
    if (bit === 0) return 'hostile';
    return missingSteps({ paging, traffic: 'coherent', steps }).length === 0 ? 'coherent' : 'hostile';
  }

  override canShrinkWithoutContext(value: unknown): value is Case {
    if (typeof value !== 'object' || value === null) return false;
    const { traffic, program } = value as Partial<Case>;
    if (traffic === undefined || !TRAFFICS.includes(traffic)) return false;
    return isProgram(program) && (traffic !== 'coherent' || keepsContract(program));
  }

  /** A coherent case loses macros first, then (as every other) single steps, and keeps the contract all the path. */
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
  const keeps = (candidate: Program): boolean => traffic !== 'coherent' || keepsContract(candidate);
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
 * Programs of both kinds of guest. All are valid, and those called coherent keep the contract; both hold for shrunk programs too.
 * Options default to `DEFAULT_PROGRAM_OPTIONS`.
 */
export const programArbitrary = (options: Partial<ProgramOptions> = {}): fc.Arbitrary<Case> =>
  new ProgramArbitrary({ ...DEFAULT_PROGRAM_OPTIONS, ...options });
