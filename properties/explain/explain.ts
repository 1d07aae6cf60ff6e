/** Explains a finding: runs its program again, and shows what each step was for and why the last one is wrong. */

import { describeMachine, describeStep, formatHex } from '../formats/index.js';
import type { Machine, Observable, Program } from '../../model/vocabulary/index.js';
import { pagingSizes } from '../../model/vocabulary/index.js';
import type { Case } from '../generators/index.js';
import type { Divergence } from '../divergence.js';
import { isSubjectFailure, ruleBeside, signatureOf } from '../divergence.js';
import type { JudgeOptions, Sought } from '../judging.js';
import { judgeOf } from '../judging.js';
import { Pair } from '../pair.js';
import type { Profile } from '../profile.js';
import { PROFILE_LIMITS } from '../profile.js';
import { invariantNamed } from '../invariants/invariants.js';
import { SubjectFailed, guarded } from '../subjects/foreign-machine.js';
import type { FrameContext, Frames } from './frames.js';
import { MOST_FRAMES, framesLeftOut, reachedSteps, takeFrames } from './frames.js';
import { pagingLevels } from './table-rows.js';
import { meaningOf, rolesOf } from './meaning.js';
import type { Evidence, Kill } from './explainers/evidence.js';
import { explainDivergence } from './explainers/explainers.js';
import { necessities, triesSteps } from './necessity.js';
import { Rerun, playerFor } from './rerun.js';
import type { RerunMoment } from './rerun.js';
import type { Necessity, Rule, ExplainedStep, Explanation, WalkedStep, Walkthrough } from './explanation.js';
import { EXPLANATION_FORMAT } from './explanation.js';
import { listText, placeText, plural } from './words.js';

/** Changes that a step's line lists. */
const MOST_CLAUSES = 3;

export interface ExplainOptions extends JudgeOptions {
  /** The finding, if it is known. */
  readonly sought?: Sought | undefined;
  /** Programs that a process is to run before the case, because it remembers something of them. */
  readonly before?: readonly Program[] | undefined;
  /** Awaited before each of the runs that an explanation takes, so that the caller's event loop can run. */
  readonly pause?: () => Promise<void> | undefined;
}

/** Returns undefined if the program does not diverge. Throws `BadInput` if a command cannot be started. */
export const explainFinding = async (found: Case, options: ExplainOptions): Promise<Explanation | undefined> => {
  const judging = judgeOf(options, options.sought);
  const divergence = await judging.judge(found, options.before).finally(() => judging.close());
  if (divergence === undefined) return undefined;
  const needed = await necessities(found, divergence, options, options.pause ?? (() => undefined));
  const tried = triedNotes(divergence, found.program, options.before);
  const pair = new Pair(options);
  await pair.close();
  await pair.lead(options.before ?? []);
  const ran = isSubjectFailure(divergence.invariant)
    ? undefined
    : await rerunFinding(found, divergence, options, tried);
  return explanationOf(found, divergence, options, needed, ran ?? withoutTrace(divergence, tried));
};

/** What both machines do at every step of a program on which they agree. Returns undefined if a side does not answer. */
export const walkThrough = async (found: Case, options: ExplainOptions): Promise<Walkthrough | undefined> => {
  const ran = await framesOfRun(found, undefined, options);
  if (ran === undefined) return undefined;
  return walkthroughOf(found, options, { ...ran.taken, observes: ran.observes, notes: notesOf(ran, []) });
};

interface Walked extends Pick<Walkthrough, 'observes' | 'frames' | 'notes'> {
  /** By step. */
  readonly changes: readonly (readonly string[])[];
}

interface Ran extends Walked, Pick<Explanation, 'sentence' | 'focus'> {}

const rerunFinding = async (
  found: Case,
  divergence: Divergence,
  options: ExplainOptions,
  tried: readonly string[],
): Promise<Ran | undefined> => {
  const ran = await framesOfRun(found, divergence, options);
  if (ran === undefined) return undefined;
  const { rerun, context, observes, taken } = ran;
  const { frames, changes, last } = taken;
  const explained = explainDivergence(evidenceOf(rerun, context, divergence, last));
  return { frames, changes, notes: notesOf(ran, tried), observes, ...explained };
};

interface FramesOfRun extends Pick<Walkthrough, 'observes'> {
  readonly rerun: Rerun;
  readonly context: FrameContext;
  readonly taken: Frames;
}

/** Returns undefined if a side did not answer. */
const framesOfRun = async (
  { program }: Case,
  divergence: Divergence | undefined,
  { model, subject, profile = 'lguest' }: ExplainOptions,
): Promise<FramesOfRun | undefined> => {
  const modelPlayer = await playerFor(model, program, profile);
  const subjectPlayer = await playerFor(subject, program, profile);
  if (modelPlayer === undefined || subjectPlayer === undefined) return undefined;
  const rerun = new Rerun(program, modelPlayer, subjectPlayer);
  const observes = { reference: modelPlayer.observes, subject: subjectPlayer.observes };
  const roles = rolesOf(program, reachedSteps(divergence, program));
  const context: FrameContext = { program, divergence, roles, profile };
  const taken = framesOf(rerun, context, [modelPlayer.machine, subjectPlayer.machine]);
  return taken && { rerun, context, observes, taken };
};

/** Undefined if a machine fails that did not fail before. */
const framesOf = (rerun: Rerun, context: FrameContext, machines: readonly Machine[]): Frames | undefined => {
  try {
    return guarded(machines, true, () => takeFrames(rerun, context));
  } catch (error) {
    if (error instanceof SubjectFailed) return undefined;
    throw error;
  }
};

const withoutTrace = (divergence: Divergence, tried: readonly string[]): Ran => {
  const { field, actual, place } = divergence;
  const failure =
    place.kind === 'end-of-input' ? 'failed at the end of its input' : 'did not answer the program with a trace';
  const sentence = isSubjectFailure(divergence.invariant)
    ? `The ${field} ${failure}: ${actual}.`
    : 'The program diverged once, and a side that answered it then did not answer it again.';
  const notes = ['A side gave no trace, so the steps cannot be shown.', ...tried];
  return { sentence, focus: {}, observes: { reference: [], subject: [] }, frames: [], changes: [], notes };
};

const evidenceOf = (
  { guest, history, lost, killed }: Rerun,
  { program }: FrameContext,
  divergence: Divergence,
  [moment, before]: readonly [RerunMoment, RerunMoment | undefined],
): Evidence => {
  const { place } = divergence;
  const index = place.kind === 'step' ? place.index : undefined;
  const step = index === undefined ? undefined : program.steps[index];
  const earlier: Kill | undefined = killed?.step === index ? undefined : killed;
  const location = divergence.location ?? {};
  const here = placeText(place, step);
  return { program, divergence, location, step, index, here, moment, before, guest, history, lost, killed: earlier };
};

const notesOf = (
  { rerun: { unreadable }, context: { program, divergence, profile }, observes: { reference, subject } }: FramesOfRun,
  tried: readonly string[],
): readonly string[] => {
  const left = framesLeftOut(divergence, program);
  const shown = `an explanation keeps the last ${MOST_FRAMES - 1} before the ${divergence === undefined ? 'end' : 'divergence'}`;
  return [
    ...(left === 0 ? [] : [`The first ${left} steps are not shown: ${shown}.`]),
    ...tried,
    ...profileNotes(profile),
    ...unknownNote('reference', reference, profile),
    ...unknownNote('subject', subject, profile),
    ...(subject.includes('shadow') || !PROFILE_LIMITS[profile].observes.includes('shadow')
      ? []
      : ['The subject does not expose its shadow tables, so they are not shown.']),
    ...(unreadable ? ['The subject broke, and its shadow tables could not be read afterwards.'] : []),
  ];
};

const profileNotes = (profile: Profile): readonly string[] =>
  profile === 'lguest'
    ? []
    : [
        `In the profile ${profile} the ${PROFILE_LIMITS[profile].observes.join(' and ')} of a step are all that is seen.`,
      ];

/** What a side does not observe of what the profile shows, but for its shadow. */
const unknownNote = (side: string, observes: readonly Observable[], profile: Profile): readonly string[] => {
  const shown = PROFILE_LIMITS[profile].observes;
  const missing = shown.filter((each) => each !== 'shadow' && !observes.includes(each));
  if (missing.length === 0) return [];
  return [`The ${side} does not show these, so they are unknown: ${listText(missing.map((each) => NAMES[each]))}.`];
};

const NAMES: Readonly<Record<Observable, string>> = {
  outcome: 'outcomes',
  references: 'references on guest pages',
  stores: 'what it writes to guest RAM',
  tables: 'the number of its tables',
  switcher: "references on the Switcher's pages",
  shadow: 'its shadow tables',
};

const triedNotes = (
  divergence: Divergence,
  program: Program,
  before: readonly Program[] | undefined,
): readonly string[] =>
  triesSteps(divergence, program, before)
    ? []
    : [`It would take too long to try the program without each of its ${program.steps.length} steps; shrink it first.`];

const explanationOf = (
  found: Case,
  divergence: Divergence,
  options: ExplainOptions,
  needed: readonly Necessity[],
  { sentence, focus, ...walked }: Ran,
): Explanation => {
  const { steps, frames, notes, ...run } = walkthroughOf(found, options, walked);
  return {
    format: EXPLANATION_FORMAT,
    signature: signatureOf(divergence),
    sentence,
    focus,
    ...run,
    invariant: ruleOf(divergence.invariant),
    alsoBroken: divergence.alsoBroken.map(ruleOf),
    divergence: recorded(divergence),
    steps: steps.map((step, index): ExplainedStep => ({ ...step, necessity: needed[index] })),
    frames,
    notes,
  };
};

const walkthroughOf = (
  { traffic, program }: Case,
  { model, subject, profile = 'lguest', before = [] }: ExplainOptions,
  { observes, frames, changes, notes }: Walked,
): Walkthrough => {
  const { machine, steps } = program;
  const roles = rolesOf(program, steps.length);
  return {
    subject: subject.name,
    reference: model.name,
    ...(profile === 'lguest' ? {} : { profile }),
    observes,
    traffic,
    machine,
    machineText: describeMachine(machine),
    levels: pagingLevels(machine.paging),
    switcherAddress: formatHex(pagingSizes(machine.paging).switcherAddress),
    steps: steps.map((step, index): WalkedStep => ({
      index,
      listing: describeStep(step, machine),
      meaning: meaningOf({ kind: 'step', index }, program, roles, profile),
      setsUp: clauses(changes[index] ?? []),
    })),
    frames,
    notes: [...(before.length === 0 ? [] : [memoryNote(before.length)]), ...notes],
  };
};

const memoryNote = (count: number): string =>
  `The subject remembers something from an earlier program: the divergence shows only in a process that ran ${plural(count, 'other program')} before this one, which the file has under "before".`;

/** The part that counterexample files record. */
const recorded = ({ kind: _kind, location: _location, ...divergence }: Divergence): Divergence => divergence;

const clauses = (all: readonly string[]): string =>
  [...all.slice(0, MOST_CLAUSES), ...(all.length > MOST_CLAUSES ? [`${all.length - MOST_CLAUSES} more`] : [])].join(
    '; ',
  );

/** A subject that fails to answer breaks the protocol, and what judgement does not confirm the screening; neither is an invariant. */
const ruleOf = (id: string): Rule => {
  const { statement, source } = invariantNamed(id) ?? ruleBeside(id);
  return { id, statement, source };
};
