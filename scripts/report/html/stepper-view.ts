/** A run to step through: its program at the left, one moment at the right. */

import type {
  Explanation,
  FollowData,
  Focus,
  Frame,
  Run,
  WalkedStep,
} from '../../../properties/explain/explanation.js';
import type { ShownStep } from '../program-window.js';
import { leftOutText, shownSteps } from '../program-window.js';
import type { Markup } from './markup.js';
import { dataElement, html } from './markup.js';
import { anchorOf, frameView } from './step-view.js';

export const whyWrong = ({ sentence }: Explanation): Markup =>
  html`<p class="why"><strong>Why it is wrong:</strong> ${sentence}</p>`;

export const notesOf = ({ notes }: Run): readonly Markup[] => notes.map((note) => html`<p class="none">${note}</p>`);

/** The run with its last frames alone. */
export const withFrames = <R extends Run>(run: R, most: number): R => {
  const { frames, notes } = run;
  if (frames.length <= most) return run;
  const note = `Of the last ${frames.length} moments, ${most === 0 ? 'none' : `only ${most}`} can be shown here, so that the page does not become too large.`;
  return { ...run, frames: frames.slice(frames.length - most), notes: [...notes, note] };
};

/** `id`: of the element around it, which the page's scripts look for (viewer/). */
export const stepper = (run: Run, id: string): Markup =>
  html`<div class="stepper">
      ${programList(run, id)}
      <div class="frames">
        ${toolbar(run)}
        <div class="walk" aria-live="polite" hidden></div>
        ${run.frames.map((frame) => frameView(frame, run, id))}
      </div>
    </div>
    ${dataElement(`${id}-explanation`, followData(run))}`;

/** The list of its program leaves no step out. */
export const isWhollyShown = (run: Run): boolean => shownStepsOf(run).length === run.steps.length;

const shownStepsOf = (run: Run): readonly ShownStep[] =>
  shownSteps(run.steps.length, 'divergence' in run ? run.divergence.place : { kind: 'end' }, focusOf(run).step);

const focusOf = (run: Run): Focus => ('focus' in run ? run.focus : {});

/** What the page's script needs to follow an address. */
const followData = ({ machine, levels, switcherAddress, frames }: Run): FollowData => ({
  machine,
  levels,
  switcherAddress,
  frames: frames.map(({ name, guest, shadow }) => ({ name, guest, shadow })),
});

const toolbar = (run: Run): Markup =>
  html`<form class="toolbar">
    <button type="button" data-go="-1" aria-label="Previous step">←</button>
    <output class="position">${run.frames.at(-1)?.name}</output>
    <button type="button" data-go="1" aria-label="Next step">→</button>
    <label class="address"
      >Address
      <input
        name="address"
        placeholder="0x400000"
        value="${focusOf(run).vaddr}"
        autocomplete="off"
        spellcheck="false"
        size="12"
      />
    </label>
    <button type="submit">Follow</button>
  </form>`;

const programList = (run: Run, id: string): Markup => {
  const shown = new Map(run.frames.map((frame) => [frame.name, frame]));
  const moment = (name: string): Markup | undefined => {
    const frame = shown.get(name);
    return frame === undefined ? undefined : momentItem(frame, id);
  };
  return html`<nav class="program" aria-label="Program of ${id.replace('-', ' ')}">
    <p class="machine">${run.machineText}</p>
    <ol>
      ${moment('create')}
      ${shownStepsOf(run).map((step) => {
        if (step.kind === 'left-out')
          return html`<li class="unreached"><span class="step">${leftOutText(step.count)}</span></li>`;
        return stepItem(run.steps[step.index], shown.get(`step ${step.index}`), run, id);
      })}
      ${moment('end')} ${moment('destroy')}
    </ol>
  </nav>`;
};

const momentItem = (frame: Frame, id: string): Markup =>
  html`<li>${link(frame, id, html`<span class="index"></span><code>${frame.name}</code>`)}</li>`;

const stepItem = (step: WalkedStep, frame: Frame | undefined, run: Run, id: string): Markup => {
  const [op, ...operands] = step.listing.split(/ +/);
  const text = html`<span class="index">${step.index}</span
    ><code><b>${op}</b> ${operands.join(' ')}</code> ${stepTag(step, frame, run)}
    <span class="sets-up">${step.setsUp}</span>`;
  if (frame === undefined) return html`<li class="unreached"><span class="step">${text}</span></li>`;
  return html`<li class="${frame.diverges ? 'diverging' : ''}">${link(frame, id, text)}</li>`;
};

const link = (frame: Frame, id: string, text: Markup): Markup =>
  html`<a class="step" href="#${anchorOf(id, frame)}" ${frame.diverges ? html`aria-current="step"` : undefined}
    >${text}</a
  >`;

const stepTag = ({ index }: WalkedStep, frame: Frame | undefined, run: Run): Markup | undefined => {
  if (frame?.diverges === true) return html`<span class="tag bad">diverges here</span>`;
  if (focusOf(run).step === index) return html`<span class="tag warn">made it wrong</span>`;
  return isReached(index, run) ? undefined : html`<span class="tag">not reached</span>`;
};

const isReached = (index: number, run: Run): boolean =>
  !('divergence' in run) || run.steps[index].necessity.kind !== 'not-reached';
