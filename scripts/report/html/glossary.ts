/** The words of the page: enough for a newcomer to understand a finding. */

import type { Markup } from './markup.js';
import { html } from './markup.js';

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

export const glossary = (): Markup =>
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
