/** The program of a finding, each step a link to its moment. */

import type { Frame, StepStory, Story } from '../../../properties/explain/story.js';
import { anchorOf } from './frame-view.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export const programList = (story: Story, finding: string): Markup => {
  const shown = new Map(story.frames.map((frame) => [frame.name, frame]));
  const moment = (name: string): Markup | undefined => {
    const frame = shown.get(name);
    return frame === undefined ? undefined : momentItem(frame, finding);
  };
  return html`<nav class="program" aria-label="Program of ${finding.replace('-', ' ')}">
    <p class="machine">${story.machineText}</p>
    <ol>
      ${moment('create')} ${story.steps.map((step) => stepItem(step, shown.get(`step ${step.index}`), story, finding))}
      ${moment('end')} ${moment('destroy')}
    </ol>
  </nav>`;
};

const momentItem = (frame: Frame, finding: string): Markup =>
  html`<li>${link(frame, finding, html`<span class="index"></span><code>${frame.name}</code>`)}</li>`;

const stepItem = (step: StepStory, frame: Frame | undefined, story: Story, finding: string): Markup => {
  const [op, ...operands] = step.listing.split(/ +/);
  const text = html`<span class="index">${step.index}</span
    ><code><b>${op}</b> ${operands.join(' ')}</code> ${stepTag(step, frame, story)}
    <span class="sets-up">${step.setsUp}</span>`;
  if (frame === undefined) return html`<li class="unreached"><span class="step">${text}</span></li>`;
  return html`<li class="${frame.diverges ? 'diverging' : ''}">${link(frame, finding, text)}</li>`;
};

const link = (frame: Frame, finding: string, text: Markup): Markup =>
  html`<a class="step" href="#${anchorOf(finding, frame)}" ${frame.diverges ? html`aria-current="step"` : undefined}
    >${text}</a
  >`;

const stepTag = ({ index, necessity }: StepStory, frame: Frame | undefined, { focus }: Story): Markup | undefined => {
  if (frame?.diverges === true) return html`<span class="tag bad">diverges here</span>`;
  if (focus.step === index) return html`<span class="tag warn">made it wrong</span>`;
  return necessity.kind === 'not-reached' ? html`<span class="tag">not reached</span>` : undefined;
};
