/** The findings: what is wrong, and a view to step through. */

import type { Explanation } from '../../../properties/explain/explanation.js';
import type { Divergence } from '../../../properties/divergence.js';
import type { Finding } from '../../../properties/finding.js';
import { visibleLines } from '../../../properties/formats/index.js';
import { counted, formatCount } from '../../terminal/numbers.js';
import { ProgressDisplay, fitting } from '../../terminal/progress-display.js';
import { explainCommand } from '../../terminal/sides.js';
import type { BuiltReport } from '../document/build-report.js';
import { counterexampleOf } from '../document/build-report.js';
import type { FindingReport } from '../document/report-document.js';
import { shownListing } from '../program-window.js';
import { STATUS_LABELS, titleOf } from '../report-news.js';
import type { Explained, RerunOptions } from './explained-findings.js';
import { explainAgain } from './explained-findings.js';
import type { Markup } from './markup.js';
import { SEAM, aroundSeam, html } from './markup.js';
import { playLink } from '../play/play-links.js';
import { glossary } from './glossary.js';
import { isWhollyShown, notesOf, stepper, whyWrong, withFrames } from './stepper-view.js';

/** Bytes of all findings that are shown in full, and their largest number: more would make the page slow. */
const LARGEST_VIEWS = 24 * 2 ** 20;
const MOST_VIEWS = 50;
/** Bytes of the list of all others. */
const LARGEST_LIST = 2 ** 20;

/**
 * The section, one finding at a time, because the explanations of many long programs do not fit into memory together. Findings have equal
 * shares of the page. One that exceeds its share shows fewer steps; the findings that then have no place are listed.
 */
export async function* findingsPieces(report: BuiltReport, rerun: RerunOptions): AsyncGenerator<string> {
  const { findings } = report.document;
  const most = Math.min(findings.length, MOST_VIEWS);
  let number = 1;
  const line = (columns: number): string => fitting(['making the report', `finding ${number} of ${most}`], columns);
  const display = new ProgressDisplay(rerun.session, line, 'never');
  try {
    const [before, after] = aroundSeam(sectionFrame(findings.length));
    yield before;
    const others: FindingReport[] = [];
    for (const [index, finding] of findings.entries()) {
      number = Math.min(index + 1, most);
      const view = index < most ? await viewWithin(LARGEST_VIEWS / most, index, { report, rerun }) : undefined;
      if (view === undefined) others.push(finding);
      else yield view.text;
    }
    if (others.length > 0) yield* othersPieces(others, { report, rerun });
    yield after;
  } finally {
    display.end();
  }
}

const sectionFrame = (count: number): Markup =>
  html`<section id="findings" aria-labelledby="findings-title">
    <h2 id="findings-title">${counted(count, 'finding')}</h2>
    <p class="lead">
      Each program has been shrunk as far as the time for it allowed. Step through it with <kbd>←</kbd> and
      <kbd>→</kbd>. Hover over an entry to decode it; click an address to follow it through the tables. What a step
      changed is <span class="swatch changed">marked</span>, and what is wrong is
      <span class="swatch divergent">framed</span>.
    </p>
    ${glossary()} ${SEAM}
  </section>`;

interface Rerun {
  readonly report: BuiltReport;
  readonly rerun: RerunOptions;
}

/** A finding, and what its view is made from. */
interface FindingView {
  readonly finding: FindingReport;
  readonly explained: Explained;
  /** Its program; undefined if it is not stored. */
  readonly stored: Finding | undefined;
  /** The command line that shows every step. */
  readonly explain: string | undefined;
  /** Leads to the page to play in. */
  readonly play: Markup | undefined;
}

/** With as many of its last frames as fit; undefined if it does not fit without any. */
const viewWithin = async (bytes: number, index: number, { report, rerun }: Rerun): Promise<Markup | undefined> => {
  const finding = report.document.findings[index];
  const explained = await explainAgain(finding, report, rerun);
  const stored = counterexampleOf(report, finding)?.finding;
  const explain = finding.file === undefined ? undefined : explainCommand(finding.file, rerun.session);
  const play = stored && (await playLink(stored));
  const frames = 'explanation' in explained ? explained.explanation.frames.length : 0;
  for (let most = frames; ; most = Math.floor(most / 2)) {
    const view = findingView({ finding, explained: withLastFrames(explained, most), stored, explain, play }, index);
    if (view.bytes <= bytes) return view;
    if (most === 0) return undefined;
  }
};

const withLastFrames = (explained: Explained, most: number): Explained =>
  'unexplained' in explained ? explained : { explanation: withFrames(explained.explanation, most) };

const findingView = (view: FindingView, index: number): Markup => {
  const { id, status, impact, steps, count } = view.finding;
  return html`<details class="finding" id="${id}" ${index === 0 ? html`open` : undefined}>
    <summary>
      <h3>Finding ${index + 1}: ${titleOf(view.finding)}</h3>
      ${status === 'new' ? undefined : html`<span class="tag">${STATUS_LABELS[status]}</span>`}
      ${impact === 'host' ? html`<span class="tag bad">can harm the host</span>` : undefined}
      <span class="tag">${counted(steps, 'step')}</span>
      <span class="tag">${counted(count, 'program')}</span>
    </summary>
    ${'explanation' in view.explained ? explanationView(view.explained.explanation, view) : unexplainedView(view.explained.unexplained, view)}
  </details>`;
};

const unexplainedView = (unexplained: string, view: FindingView): Markup =>
  html`<p class="why">${unexplained}</p>
    ${facts(view.finding)} ${view.play} ${listing(view)} ${standardError(view.stored?.divergence)}`;

const explanationView = (explanation: Explanation, view: FindingView): Markup =>
  html`${whyWrong(explanation)} ${facts(view.finding)} ${view.play} ${notesOf(explanation)}
  ${explanation.frames.length === 0 ? listing(view) : everyMoment(explanation, view)}
  ${standardError(explanation.divergence)}`;

const standardError = (divergence: Divergence | undefined): Markup | undefined =>
  divergence?.standardError === undefined
    ? undefined
    : html`<p class="none">Standard error of the subject:</p>
        <pre class="scroll" role="region" aria-label="Standard error" tabindex="0">
${visibleLines(divergence.standardError)}</pre>`;

const listing = ({ stored, explain }: FindingView): Markup | undefined => {
  if (stored === undefined) return undefined;
  const { lines, isWhole } = shownListing(stored);
  return html`<pre class="scroll" role="region" aria-label="Program" tabindex="0">${lines.join('\n')}</pre>
    ${isWhole ? undefined : everyStep(explain)}`;
};

const everyMoment = (explanation: Explanation, { finding, explain }: FindingView): Markup =>
  html`${isWhollyShown(explanation) ? undefined : everyStep(explain)} ${stepper(explanation, finding.id)}`;

/** How to see what the page leaves out. */
const everyStep = (explain: string | undefined): Markup =>
  html`<p class="none">Every step of this long program: <code>${explain}</code></p>`;

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

/** Findings without a view of their own, in a table of bounded size. */
async function* othersPieces(others: readonly FindingReport[], { report, rerun }: Rerun): AsyncGenerator<string> {
  const [before, after] = aroundSeam(othersTable(others.length));
  yield before;
  let room = LARGEST_LIST;
  let listed = 0;
  for (const other of others) {
    const stored = counterexampleOf(report, other)?.finding;
    const row = othersRow(other, stored && (await playLink(stored)));
    room -= row.bytes;
    if (room < 0) break;
    yield row.text;
    listed++;
  }
  yield after;
  if (listed === others.length) return;
  yield html`<p>
    ${counted(others.length - listed, 'finding')} more in
    <code>${rerun.session.command('report', 'DIRECTORY', '--reporter', 'json')}</code>
  </p>`.text;
}

const othersTable = (count: number): Markup =>
  html`<h3>${counted(count, 'finding')} not shown step by step, so that the page does not become too large</h3>
    <div class="scroll" role="region" aria-label="Findings not shown step by step" tabindex="0">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">finding</th>
            <th scope="col" class="number">steps</th>
            <th scope="col" class="number">programs</th>
            <th scope="col">replay</th>
            <td></td>
          </tr>
        </thead>
        <tbody>
          ${SEAM}
        </tbody>
      </table>
    </div>`;

const othersRow = (finding: FindingReport, play: Markup | undefined): Markup =>
  html`<tr id="${finding.id}">
    <th scope="row">${titleOf(finding)}</th>
    <td class="number">${formatCount(finding.steps)}</td>
    <td class="number">${formatCount(finding.count)}</td>
    <td><code>${finding.replay}</code></td>
    <td>${play}</td>
  </tr>`;
