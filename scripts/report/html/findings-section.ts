/** The findings, each to be stepped through. */

import type { Story } from '../../../properties/explain/story.js';
import { counted } from '../../terminal/numbers.js';
import type { FindingReport, ReportDocument } from '../document/report-document.js';
import { frameView } from './frame-view.js';
import { glossary } from './glossary.js';
import type { Markup } from './markup.js';
import { dataElement, html } from './markup.js';
import { programList } from './program-list.js';
import type { Told } from './tell-findings.js';

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
