/** The findings: what is wrong, and a view to step through. */

import type { ExplainedStep, Explanation, Frame } from '../../../properties/explain/explanation.js';
import { counted } from '../../terminal/numbers.js';
import type { FindingReport, ReportDocument } from '../document/report-document.js';
import { STATUS_LABELS } from '../report-news.js';
import type { ExplainedFinding } from './explained-findings.js';
import type { Markup } from './markup.js';
import { dataElement, html } from './markup.js';
import { anchorOf, frameView } from './step-view.js';

export const findingsSection = (
  { findings }: ReportDocument,
  explained: readonly ExplainedFinding[],
): Markup | undefined => {
  if (findings.length === 0) return undefined;
  return html`<section id="findings" aria-labelledby="findings-title">
    <h2 id="findings-title">${counted(findings.length, 'finding')}</h2>
    <p class="lead">
      Each program has been shrunk. Step through it with <kbd>←</kbd> and <kbd>→</kbd>. Hover over an entry to decode
      it; click an address to follow it through the tables. What a step changed is
      <span class="swatch changed">marked</span>, and what is wrong is <span class="swatch divergent">framed</span>.
    </p>
    ${glossary()} ${explained.map(findingView)}
  </section>`;
};

const findingView = (explained: ExplainedFinding, index: number): Markup => {
  const { finding } = explained;
  const { id, signature, status, impact, steps } = finding;
  return html`<details class="finding" id="${id}" ${index === 0 ? html`open` : undefined}>
    <summary>
      <h3>Finding ${index + 1}: ${signature}</h3>
      ${status === 'new' ? undefined : html`<span class="tag">${STATUS_LABELS[status]}</span>`}
      ${impact === 'host' ? html`<span class="tag bad">can harm the host</span>` : undefined}
      <span class="tag">${counted(steps, 'step')}</span>
      <span class="tag">${counted(finding.count, 'program')}</span>
    </summary>
    ${'explanation' in explained ? explanationView(explained.explanation, finding) : unexplainedView(explained.unexplained, finding)}
  </details>`;
};

const unexplainedView = (unexplained: string, finding: FindingReport): Markup =>
  html`<p class="why">${unexplained}</p>
    ${facts(finding)} ${listing(finding)}`;

const explanationView = (explanation: Explanation, finding: FindingReport): Markup =>
  html`<p class="why"><strong>Why it is wrong:</strong> ${explanation.sentence}</p>
    ${facts(finding)} ${explanation.notes.map((note) => html`<p class="none">${note}</p>`)}
    ${explanation.frames.length === 0 ? listing(finding) : stepper(explanation, finding.id)}`;

const listing = ({ counterexample }: FindingReport): Markup | undefined => {
  if (counterexample === undefined) return undefined;
  const text = counterexample.listing.join('\n');
  return html`<pre class="scroll" role="region" aria-label="Program" tabindex="0">${text}</pre>`;
};

const stepper = (explanation: Explanation, finding: string): Markup =>
  html`<div class="stepper">
      ${programList(explanation, finding)}
      <div class="frames">
        ${toolbar(explanation)}
        <div class="walk" aria-live="polite" hidden></div>
        ${explanation.frames.map((frame) => frameView(frame, explanation, finding))}
      </div>
    </div>
    ${dataElement(`${finding}-explanation`, explanation)}`;

const toolbar = ({ frames, focus }: Explanation): Markup =>
  html`<form class="toolbar">
    <button type="button" data-go="-1" aria-label="Previous step">←</button>
    <output class="position">${frames.at(-1)?.name}</output>
    <button type="button" data-go="1" aria-label="Next step">→</button>
    <label class="address"
      >Address
      <input
        name="address"
        placeholder="0x400000"
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
            <dd>marked as fixed, and back</dd>
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

const programList = (explanation: Explanation, finding: string): Markup => {
  const shown = new Map(explanation.frames.map((frame) => [frame.name, frame]));
  const moment = (name: string): Markup | undefined => {
    const frame = shown.get(name);
    return frame === undefined ? undefined : momentItem(frame, finding);
  };
  return html`<nav class="program" aria-label="Program of ${finding.replace('-', ' ')}">
    <p class="machine">${explanation.machineText}</p>
    <ol>
      ${moment('create')}
      ${explanation.steps.map((step) => stepItem(step, shown.get(`step ${step.index}`), explanation, finding))}
      ${moment('end')} ${moment('destroy')}
    </ol>
  </nav>`;
};

const momentItem = (frame: Frame, finding: string): Markup =>
  html`<li>${link(frame, finding, html`<span class="index"></span><code>${frame.name}</code>`)}</li>`;

const stepItem = (step: ExplainedStep, frame: Frame | undefined, explanation: Explanation, finding: string): Markup => {
  const [op, ...operands] = step.listing.split(/ +/);
  const text = html`<span class="index">${step.index}</span
    ><code><b>${op}</b> ${operands.join(' ')}</code> ${stepTag(step, frame, explanation)}
    <span class="sets-up">${step.setsUp}</span>`;
  if (frame === undefined) return html`<li class="unreached"><span class="step">${text}</span></li>`;
  return html`<li class="${frame.diverges ? 'diverging' : ''}">${link(frame, finding, text)}</li>`;
};

const link = (frame: Frame, finding: string, text: Markup): Markup =>
  html`<a class="step" href="#${anchorOf(finding, frame)}" ${frame.diverges ? html`aria-current="step"` : undefined}
    >${text}</a
  >`;

const stepTag = (
  { index, necessity }: ExplainedStep,
  frame: Frame | undefined,
  { focus }: Explanation,
): Markup | undefined => {
  if (frame?.diverges === true) return html`<span class="tag bad">diverges here</span>`;
  if (focus.step === index) return html`<span class="tag warn">made it wrong</span>`;
  return necessity.kind === 'not-reached' ? html`<span class="tag">not reached</span>` : undefined;
};

/** Enough for a newcomer to understand a finding. */
const WORDS: readonly (readonly [word: string, meaning: string])[] = [
  ['guest', 'The virtual machine. It keeps its own page tables and may write anything into them.'],
  [
    'shadow tables',
    'The page tables that the CPU really uses. The hypervisor builds them from the guest’s on demand, and they must never permit more than the guest’s do.',
  ],
  [
    'PGD, PMD, PTE',
    'The levels of a page table, from the root down. An address selects an entry of the PGD, which points to the next table, and so on. Only PAE paging has PMDs.',
  ],
  ['leaf', 'The last entry of a walk. It names the page and the permitted accesses.'],
  ['root', 'The PGD of one address space. A guest switches address spaces by loading another root.'],
  [
    'slot',
    'One of four places where the hypervisor caches the shadow of a root, so that switching back is cheap. The guest runs on the current slot.',
  ],
  [
    'reference',
    'A leaf’s hold on a page of guest memory. With one too few, the page is freed while still mapped; with one too many, it is never freed.',
  ],
  [
    'Switcher',
    'The hypervisor’s own window at the top of every address space. Without it, the host cannot regain control.',
  ],
  ['linear mode', 'Until the guest loads its first root, every address maps to itself.'],
  [
    'kill',
    'The hypervisor terminates a guest that broke the rules. This is allowed, but it must happen at exactly the right step.',
  ],
  ['expected, actual', 'What the reference did, and what the tested machine did.'],
];

const glossary = (): Markup =>
  html`<details class="glossary">
    <summary>Glossary</summary>
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
