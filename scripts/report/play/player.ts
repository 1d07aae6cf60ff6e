/** What the page to play in asks of the machines, and their answers. It runs in a worker of the page, without Node.js. */

import { OBSERVABLES } from '../../../model/vocabulary/index.js';
import { keepsContract } from '../../../properties/contract.js';
import { fileNameOf, formatCounterexample } from '../../../properties/corpus/counterexample.js';
import { signatureOf } from '../../../properties/divergence.js';
import { explainFinding, walkThrough } from '../../../properties/explain/explain.js';
import type { Run } from '../../../properties/explain/explanation.js';
import {
  BadInput,
  BadListing,
  formatListing,
  formatProgram,
  formatTrace,
  parseListing,
} from '../../../properties/formats/index.js';
import type { Finding } from '../../../properties/finding.js';
import type { Case } from '../../../properties/generators/case.js';
import { determinism } from '../../../properties/invariants/determinism.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import type { JudgeOptions } from '../../../properties/judging.js';
import { hurriedJudgeOf } from '../../../properties/judging.js';
import type { Progress } from '../../../properties/shrink/index.js';
import { shrink } from '../../../properties/shrink/index.js';
import { IMPL, MODEL, ownMachine } from '../../../properties/subjects/own-machines.js';
import { whyNotRun } from '../../../properties/subjects/scope.js';
import type { InProcessSubject } from '../../../properties/subjects/subject.js';
import { traceOf } from '../../../properties/trace-of.js';
import { counted } from '../../terminal/numbers.js';
import type { Markup } from '../html/markup.js';
import { html } from '../html/markup.js';
import { notesOf, stepper, whyWrong, withFrames } from '../html/stepper-view.js';
import type { PlaySides, Setup } from './setup.js';
import { decodeSetup, encodeSetup } from './setup.js';

/** What the page holds as JSON. */
export interface PlayData {
  /** What it shows first, as in a link. */
  readonly start: string;
  readonly version: string;
}

/** A program as it stands in a link, or as text. */
export type Source = { readonly code: string } | (PlaySides & { readonly text: string });

export interface Request {
  readonly action: 'run' | 'shrink' | { readonly drop: number };
  readonly source: Source;
  /** For the JSON of a counterexample: the moment (ISO 8601), and the version of shadowdiff. */
  readonly date: string;
  readonly version: string;
}

export type Reply = Ran | Refused | Shrinking;

export interface Ran {
  readonly kind: 'ran';
  /** The text that was read, if it was text. */
  readonly read?: string | undefined;
  /** As the listing writes it. */
  readonly text: string;
  readonly sides: PlaySides;
  /** For a link. */
  readonly code: string;
  /** HTML. */
  readonly view: string;
  readonly diverges: boolean;
  readonly remarks: readonly string[];
  /** A counterexample, or the program alone if nothing diverges. */
  readonly json: string;
  /** The name of that counterexample in a corpus. */
  readonly file?: string;
  /** As the command `trace` prints them. */
  readonly traces: { readonly reference: string; readonly subject: string };
}

export interface Refused {
  readonly kind: 'refused';
  readonly message: string;
  /** Of the text, counted from 1. */
  readonly line?: number | undefined;
}

export interface Shrinking extends Progress {
  readonly kind: 'shrinking';
}

/** UTF-16 units of a run's HTML. */
const LARGEST_VIEW = 4 * 2 ** 20;

const SOURCE = 'the program';

/** Never throws. */
export const answer = async (request: Request, report: (progress: Shrinking) => void): Promise<Ran | Refused> => {
  try {
    const read = await readSource(request.source);
    const { setup, remarks } = await changed(read, request, report);
    return await ran(setup, remarks, request);
  } catch (error) {
    if (error instanceof BadListing) return { kind: 'refused', message: error.message, line: error.line };
    if (error instanceof BadInput) return { kind: 'refused', message: error.message };
    return { kind: 'refused', message: `${String(error)}; this is a bug in shadowdiff, please report it` };
  }
};

interface Read {
  readonly setup: Setup;
  readonly remarks: readonly string[];
}

const readSource = async (source: Source): Promise<Read> => {
  if ('code' in source) return { setup: await decodeSetup(source.code), remarks: [] };
  const { text, ...sides } = source;
  const { program, remarks } = parseListing(text, SOURCE);
  return { setup: { ...sides, program }, remarks };
};

const changed = async (read: Read, { action }: Request, report: (progress: Shrinking) => void): Promise<Read> => {
  const { program } = read.setup;
  if (action === 'run') return read;
  if (action !== 'shrink') {
    const steps = program.steps.toSpliced(action.drop, 1);
    return { setup: { ...read.setup, program: { ...program, steps } }, remarks: [] };
  }
  const { options } = await machinesFor(read.setup);
  const judging = hurriedJudgeOf(options, SOUGHT);
  const found = caseOf(read.setup);
  const divergence = await judging.judge(found);
  if (divergence === undefined) return read;
  const outcome = await shrink({ value: found }, signatureOf(divergence), (candidate) => judging.judge(candidate), {
    onProgress: (progress) => report({ kind: 'shrinking', ...progress }),
  });
  if (outcome.kind === 'not-reproduced') return read;
  return { setup: { ...read.setup, program: outcome.case.program }, remarks: [] };
};

/** It runs the subject twice. */
const SOUGHT = { invariant: determinism.id };

const caseOf = ({ program, traffic }: Setup): Case => ({
  traffic: traffic ?? (keepsContract(program) ? 'coherent' : 'hostile'),
  program,
});

interface Machines {
  readonly options: JudgeOptions & { readonly model: InProcessSubject; readonly subject: InProcessSubject };
  readonly remarks: readonly string[];
}

/** Throws `BadInput` for a program that a machine cannot run. */
const machinesFor = async ({ subject, reference, profile = 'lguest', program }: Setup): Promise<Machines> => {
  const [one, other] = [ownMachine(reference, SOURCE), ownMachine(subject, SOURCE)];
  const sides = { model: one ?? MODEL, subject: other ?? IMPL };
  const why = await whyNotRun([program], [sides.subject, sides.model], profile);
  if (why !== undefined) throw new BadInput(SOURCE, `${why}; change it, or name other machines`);
  const remarks = [
    ...(one === undefined ? [standsIn(MODEL.name, reference)] : []),
    ...(other === undefined ? [standsIn(IMPL.name, subject)] : []),
  ];
  return { options: { ...sides, invariants: INVARIANTS, profile }, remarks };
};

const standsIn = (own: string, name: string): string =>
  `${own} stands in for ${name}, which is not of this package and cannot run here`;

const ran = async (
  setup: Setup,
  remarks: readonly string[],
  { action, source, date, version }: Request,
): Promise<Ran> => {
  const { options, remarks: about } = await machinesFor(setup);
  const found = caseOf(setup);
  const explanation = await explainFinding(found, { ...options, sought: SOUGHT });
  const run = explanation ?? (await walkThrough(found, options))!;
  const { program, ...sides } = setup;
  const provenance = { date, version, seed: 'play', program: 0, originalSteps: program.steps.length };
  const finding: Finding | undefined = explanation && {
    status: 'open',
    subject: options.subject.name,
    reference: options.model.name,
    ...(sides.profile === undefined ? {} : { profile: sides.profile }),
    case: found,
    divergence: explanation.divergence,
    provenance,
    note: '',
  };
  const traceBy = ({ create }: InProcessSubject): string =>
    formatTrace(
      traceOf(create(), program),
      OBSERVABLES.filter((each) => each !== 'shadow'),
    );
  return {
    kind: 'ran',
    read: 'text' in source ? source.text : undefined,
    text: formatListing(program),
    sides,
    // A browser may deflate the same program into other bytes.
    code: action === 'run' && 'code' in source ? source.code : await encodeSetup(setup),
    view: viewOf(run),
    diverges: explanation !== undefined,
    remarks: [...about, ...remarks],
    ...(finding === undefined
      ? { json: `${formatProgram(program)}\n` }
      : { json: formatCounterexample(finding), file: fileNameOf(finding) }),
    traces: { reference: traceBy(options.model), subject: traceBy(options.subject) },
  };
};

/** With as many of its last frames as fit. */
const viewOf = (run: Run): string => {
  for (let most = run.frames.length; ; most = Math.floor(most / 2)) {
    const { text } = runView(withFrames(run, most));
    if (text.length <= LARGEST_VIEW || most === 0) return text;
  }
};

const runView = (run: Run): Markup =>
  html`<details class="finding" id="run" open>
    <summary>
      <h3>${'signature' in run ? `Diverges: ${run.signature}` : 'Both sides agree'}</h3>
      <span class="tag">${counted(run.steps.length, 'step')}</span>
      <span class="tag">${run.traffic} guest</span>
      <span class="tag">${run.subject} against ${run.reference}</span>
    </summary>
    ${'sentence' in run ? whyWrong(run) : undefined} ${notesOf(run)} ${stepper(run, 'run')}
  </details>`;
