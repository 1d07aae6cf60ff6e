/** The findings, each to be stepped through. */

import type { Markup } from './markup.js';
import { html, dataElement } from './markup.js';
import type { Frame, StepStory, Story } from '../../../properties/explain/story.js';
import { anchorOf, frameView } from './step-view.js';
import { counted } from '../../terminal/numbers.js';
import type { FindingReport, ReportDocument } from '../document/report-document.js';
import type { Told } from './explained-findings.js';

export const findingsSection = ({ findings }: ReportDocument, told: readonly Told[]): Markup | undefined => {
  if (findings.length === 0) return undefined;
  return html`<section id="findings" aria-labelledby="findings-title">
    <h2 id="findings-title">${counted(findings.length, 'finding')}</h2>
    <p class="lead">
      Each program was made as small as it could be. Step through it with <kbd>←</kbd> and <kbd>→</kbd>; point at an
      entry to have it decoded; click an address to follow it through the tables. What a step changed is
      <span class="swatch changed">marked</span>, what is wrong is <span class="swatch divergent">framed</span>.
    </p>
    ${glossary()} ${told.map(findingView)}
  </section>`;
};

const findingView = (told: Told, index: number): Markup => {
  const { finding } = told;
  const { id, signature, harms, counterexample } = finding;
  return html`<details class="finding" id="${id}" ${index === 0 ? html`open` : undefined}>
    <summary>
      <h3>Finding ${index + 1}: ${signature}</h3>
      ${harms === 'host' ? html`<span class="tag bad">can harm the host</span>` : undefined}
      ${counterexample === undefined ? undefined : html`<span class="tag">${counted(counterexample.listing.length - 1, 'step')}</span>`}
      <span class="tag">${counted(finding.count, 'program')}</span>
    </summary>
    ${'story' in told ? storyView(told.story, finding) : untoldView(told.untold, finding)}
  </details>`;
};

const untoldView = (untold: string, finding: FindingReport): Markup =>
  html`<p class="why">${untold}</p>
    ${facts(finding)} ${listing(finding)}`;

const storyView = (story: Story, finding: FindingReport): Markup =>
  html`<p class="why"><strong>Why it is wrong:</strong> ${story.sentence}</p>
    ${facts(finding)} ${story.notes.map((note) => html`<p class="none">${note}</p>`)}
    ${story.frames.length === 0 ? listing(finding) : stepper(story, finding.id)}`;

const listing = ({ counterexample }: FindingReport): Markup | undefined => {
  if (counterexample === undefined) return undefined;
  const text = counterexample.listing.join('\n');
  return html`<pre class="scroll" role="region" aria-label="Program" tabindex="0">${text}</pre>`;
};

const stepper = (story: Story, finding: string): Markup =>
  html`<div class="stepper">
      ${programList(story, finding)}
      <div class="frames">
        ${toolbar(story)}
        <div class="walk" aria-live="polite" hidden></div>
        ${story.frames.map((frame) => frameView(frame, story, finding))}
      </div>
    </div>
    ${dataElement(`${finding}-story`, story)}`;

const toolbar = ({ frames, focus }: Story): Markup =>
  html`<form class="toolbar">
    <button type="button" data-go="-1" aria-label="Previous step">←</button>
    <output class="position">${frames.at(-1)?.name}</output>
    <button type="button" data-go="1" aria-label="Next step">→</button>
    <label class="address"
      >Follow
      <input
        name="address"
        placeholder="an address"
        value="${focus.vaddr}"
        autocomplete="off"
        spellcheck="false"
        size="12"
      />
    </label>
    <button type="submit">Follow</button>
  </form>`;

const facts = ({ counterexample, replay, file }: FindingReport): Markup =>
  html`<dl class="finding-facts">
    ${counterexample === undefined ? undefined : divergenceFacts(counterexample)}
    <div>
      <dt>replay</dt>
      <dd><code>${replay}</code></dd>
    </div>
    ${
      file === undefined
        ? html`<div>
            <dt>file</dt>
            <dd>not stored</dd>
          </div>`
        : undefined
    }
  </dl>`;

const divergenceFacts = (found: NonNullable<FindingReport['counterexample']>): Markup => {
  const { field, expected, actual, place, subject, reference, traffic, alsoBroken, originalSteps, note, status } =
    found;
  return html`<div>
      <dt>at ${place}</dt>
      <dd>${field}: expected <b class="good">${expected}</b>, was <b class="bad">${actual}</b></dd>
    </div>
    <div>
      <dt>tested</dt>
      <dd>${subject} against ${reference}, ${traffic} guest, shrunk from ${counted(originalSteps, 'step')}</dd>
    </div>
    ${
      alsoBroken.length === 0
        ? undefined
        : html`<div>
            <dt>also broken</dt>
            <dd>${alsoBroken.join(', ')}</dd>
          </div>`
    }
    ${
      status === 'fixed'
        ? html`<div>
            <dt>status</dt>
            <dd>it was marked as fixed, and is back</dd>
          </div>`
        : undefined
    }
    ${
      note === ''
        ? undefined
        : html`<div>
            <dt>note</dt>
            <dd>${note}</dd>
          </div>`
    }`;
};

// The program of a finding, each step a link to its moment.

const programList = (story: Story, finding: string): Markup => {
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

// The words that a newcomer needs to understand a finding.

const WORDS: readonly (readonly [word: string, meaning: string])[] = [
  ['guest', 'The virtual machine. It keeps page tables of its own and may write anything into them.'],
  [
    'shadow tables',
    'The page tables that the CPU really uses. The hypervisor makes them from the guest’s, lazily, and must never let them allow more.',
  ],
  [
    'PGD, PMD, PTE',
    'The levels of a page table, from the root down: an address picks an entry of the PGD, that leads to a table whose entry it picks, and so on. PMDs exist in PAE paging only.',
  ],
  ['leaf', 'The last entry of the way: it names the page, and what may be done to it.'],
  ['root', 'The PGD of one address space. A guest switches between address spaces by naming another root.'],
  [
    'slot',
    'One of four places in which the hypervisor keeps the shadow of a root, so that switching back is cheap. The guest runs on the current one.',
  ],
  [
    'reference',
    'The hold that a leaf has on a page of guest memory. One too few, and the page is given away while it is still mapped; one too many, and it never comes back.',
  ],
  [
    'Switcher',
    'The hypervisor’s own window at the top of every address space. Without it the host cannot get back in.',
  ],
  ['linear mode', 'Before its first root every address of the guest maps to itself.'],
  [
    'kill',
    'The hypervisor ends a guest that broke the rules. That is allowed; what matters is that it happens exactly then.',
  ],
  ['expected, actual', 'What the reference did, and what the tested machine did.'],
];

const glossary = (): Markup =>
  html`<details class="glossary">
    <summary>The words used here</summary>
    <dl>
      ${WORDS.map(
        ([word, meaning]) =>
          html`<div>
            <dt>${word}</dt>
            <dd>${meaning}</dd>
          </div>`,
      )}
    </dl>
  </details>`;
