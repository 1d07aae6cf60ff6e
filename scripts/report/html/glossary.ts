/** The words that a newcomer needs to understand a finding. */

import type { Markup } from './markup.js';
import { html } from './markup.js';

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

export const glossary = (): Markup =>
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
