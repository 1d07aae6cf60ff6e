/** The page to play in: one file that holds the machines, the invariants, the planted bugs and the corpus, and loads nothing. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Defect } from '../../../impl/defects/defect.js';
import { DEFECTS } from '../../../impl/defects/catalogue.js';
import type { Program } from '../../../model/vocabulary/index.js';
import { keepsContract } from '../../../properties/contract.js';
import type { StoredFinding } from '../../../properties/corpus/store.js';
import { isReadable, readCorpus } from '../../../properties/corpus/store.js';
import type { Finding } from '../../../properties/finding.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { packageDirectory, packageVersion } from '../../own-package.js';
import { counted } from '../../terminal/numbers.js';
import { glossary } from '../html/glossary.js';
import type { Markup } from '../html/markup.js';
import { dataElement, html } from '../html/markup.js';
import type { Page } from '../html/page-frame.js';
import { readViewer, viewerFile } from '../html/page-frame.js';
import type { PlayData } from './player.js';
import type { Setup } from './setup.js';
import { encodeSetup } from './setup.js';

/** The bundle that runs in the page and in its workers (rolldown.config.js). */
const BUNDLE = 'dist/scripts/report/play/page.js';

/** A clone that is not built lacks the bundle. */
export const canMakePlayPage = (): boolean => existsSync(join(packageDirectory(), BUNDLE));

/** `start`: what it shows first; left out: a program of the corpus. */
export const playPage = async (start?: Setup): Promise<Page> => {
  const viewer = await readViewer();
  const gallery = await galleryOf(await readCorpus(join(packageDirectory(), 'corpus')));
  const code = start === undefined ? firstOf(gallery).code : await encodeSetup(start);
  return {
    title: 'A shadow page table to play with',
    style: `${viewer.style}\n${await viewerFile('play.css')}`,
    scripts: [...viewer.scripts, insideElement(await readFile(join(packageDirectory(), BUNDLE), 'utf8'))],
    startsWorkers: true,
    contents: [
      ['program', 'Program'],
      ['run', 'Run'],
      ['take', 'Share'],
      ['rules', 'Rules'],
    ],
    body: body(gallery, { start: code, version: packageVersion() }),
  };
};

/** A mapping of the kernel's that one address space misses: small, and with tables on both sides. */
const firstOf = (gallery: readonly Exhibit[]): Exhibit =>
  gallery.find(({ divergence }) => divergence.invariant === 'kernel-broadcast') ?? gallery[0];

/** `impl` has no features of a CPU. */
export const runsInPage = ({ machine: { features = [] } }: Program): boolean => features.length === 0;

export const setupOf = ({ subject, reference, profile, case: { traffic, program } }: Finding): Setup => ({
  subject,
  reference,
  profile,
  traffic: traffic === 'hostile' && keepsContract(program) ? traffic : undefined,
  program,
});

/** In strings and templates of a script these mean the same, and the element does not end there. */
const insideElement = (script: string): string => script.replace(/<(?=\/script|!--)/gi, '\\x3c');

interface Exhibit extends Pick<StoredFinding, 'subject' | 'divergence'> {
  readonly steps: number;
  readonly code: string;
}

/** By invariant, the shortest first. */
const galleryOf = async (corpus: Awaited<ReturnType<typeof readCorpus>>): Promise<readonly Exhibit[]> => {
  const entries = corpus.filter(isReadable).toSorted((one, other) => stepsOf(one) - stepsOf(other));
  return await Promise.all(
    entries.map(async (entry) => ({
      subject: entry.subject,
      divergence: entry.divergence,
      steps: stepsOf(entry),
      code: await encodeSetup(setupOf(entry)),
    })),
  );
};

const stepsOf = (finding: Finding): number => finding.case.program.steps.length;

const body = (gallery: readonly Exhibit[], data: PlayData): Markup =>
  html`<p class="lead">
      Change the program or plant a bug: both machines run it at once, in this page alone, and the invariants judge
      every step. <kbd>←</kbd> and <kbd>→</kbd> step through the run.
    </p>
    ${workbench(gallery)}
    <section id="result" aria-label="Run"></section>
    ${takeAlong()} ${rules()} ${dataElement('play-data', data)}`;

const workbench = (gallery: readonly Exhibit[]): Markup =>
  html`<section id="program" class="workbench" aria-label="Program">
    <div class="menus">
      <label>
        Corpus
        <select id="gallery">
          <option value="">choose a counterexample …</option>
          ${INVARIANTS.map(({ id }) => exhibits(id, gallery))}
        </select>
      </label>
      <label>
        Bug planted in impl
        <select id="subject">
          <option value="impl">none</option>
          <option value="impl:lguest">all of lguest’s at once</option>
          ${[...new Set(DEFECTS.map((each) => each.class))].map(defectsOf)}
        </select>
      </label>
    </div>
    <p id="about" class="none"></p>
    <label for="text">Machine and steps, as listings show them</label>
    <textarea id="text" rows="14" wrap="off" spellcheck="false" autocomplete="off" autocapitalize="off"></textarea>
    <div id="problem" role="alert"></div>
    <ul id="remarks" class="none" hidden></ul>
    <div class="actions">
      <button type="button" id="drop">Drop step</button>
      <button type="button" id="shrink">Shrink</button>
      <button type="button" id="cancel" hidden>Cancel</button>
      <span id="status" role="status"></span>
    </div>
  </section>`;

const exhibits = (invariant: string, gallery: readonly Exhibit[]): Markup | undefined => {
  const shown = gallery.filter(({ divergence }) => divergence.invariant === invariant);
  if (shown.length === 0) return undefined;
  return html`<optgroup label="${invariant}">
    ${shown.map(({ subject, steps, code }) => html`<option value="${code}">${subject} (${counted(steps, 'step')})</option>`)}
  </optgroup>`;
};

const defectsOf = (kind: Defect['class']): Markup =>
  html`<optgroup label="${kind}">
    ${DEFECTS.filter((each) => each.class === kind).map(({ id, title }) => html`<option value="impl:${id}">${title}</option>`)}
  </optgroup>`;

const takeAlong = (): Markup =>
  html`<section id="take" aria-labelledby="take-title">
    <h2 id="take-title">Share</h2>
    <p>
      <label for="link">Link that opens this program in any copy of this page</label>
      <span class="copied"><input id="link" readonly /><button type="button" data-copy="link">Copy</button></span>
    </p>
    ${[
      ['json', 'JSON of the program'],
      ['reference-trace', 'Trace of the reference, what a machine of yours must answer'],
      ['subject-trace', 'Trace of the subject'],
    ].map(
      ([id, label]) =>
        html`<details>
          <summary>${label}</summary>
          <span class="copied">
            <textarea id="${id}" rows="8" readonly aria-label="${label}"></textarea>
            <button type="button" data-copy="${id}">Copy</button>
          </span>
          ${id === 'json' ? html`<p id="file" class="none"></p>` : undefined}
        </details>`,
    )}
  </section>`;

const rules = (): Markup =>
  html`<section id="rules" aria-labelledby="rules-title">
    <h2 id="rules-title">Rules</h2>
    ${glossary()}
    <details>
      <summary>${counted(INVARIANTS.length, 'invariant')}, checked after every step</summary>
      <dl>
        ${INVARIANTS.map(
          ({ id, statement, source }) =>
            html`<div id="invariant-${id}">
              <dt>${id}</dt>
              <dd>${statement} <small>${source}</small></dd>
            </div>`,
        )}
      </dl>
    </details>
  </section>`;
