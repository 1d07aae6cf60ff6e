/**
 * shadowdiff as a library: both machines, the arbitraries, lockstep and the invariants, for properties of your own.
 *
 * ```ts
 * import fc from 'fast-check';
 * import { INVARIANTS, Lockstep, ReferenceMachine, ShadowMachine, programArbitrary } from 'shadowdiff';
 *
 * const lockstep = new Lockstep({ model: new ReferenceMachine(), subject: new ShadowMachine(), invariants: INVARIANTS });
 * fc.assert(
 *   fc.property(programArbitrary(), ({ program, traffic }) => lockstep.run(program, traffic === 'coherent') === undefined),
 * );
 * ```
 */

export * from '../model/vocabulary/index.js';
export * from './formats/index.js';
export { ReferenceMachine } from '../model/machine.js';
export { WalkingMmu } from '../model/walking-mmu.js';
export { ShadowMachine } from '../impl/shadow-machine.js';
export type { Defect, DefectClass } from '../impl/defects/defect.js';
export { DEFECTS, defectNamed, lguestDefects } from '../impl/defects/catalogue.js';
export * from './generators/index.js';
export { keepsContract } from './contract.js';
export * from './divergence.js';
export * from './finding.js';
export * from './invariants/invariant.js';
export { INVARIANTS, harmOf, invariantNamed } from './invariants/invariants.js';
export * from './invariants/moment.js';
export * from './judging.js';
export { Lockstep } from './lockstep.js';
export type { LockstepOptions } from './lockstep.js';
export { DEFAULT_MOST_TRIES, shrink } from './shrink/index.js';
export type { Judge, Progress, ShrinkOptions, ShrinkOutcome, Shrinkable, Shrunk } from './shrink/index.js';
export { PROFILES } from './profile.js';
export type { Profile } from './profile.js';
export { Pair } from './pair.js';
export type { PairOptions, RunOptions } from './pair.js';
export * from './explain/explanation.js';
export { explainFinding } from './explain/explain.js';
export type { ExplainOptions } from './explain/explain.js';
export { programSeed, randomFor, shardSeed } from './seeds.js';
export type { Capabilities } from './subjects/capabilities.js';
export { CommandNotAllowed, IMPL, MODEL, WALK, implWith, subjectNamed } from './subjects/subject-names.js';
export type { AllowedCommands, SubjectSettings } from './subjects/subject-names.js';
export type { Answer, ExternalSubject, InProcessSubject, Subject } from './subjects/subject.js';
export { Tally } from './tally.js';
export { RecordedMachine, traceOf, traceWithShadowOf } from './trace-of.js';
